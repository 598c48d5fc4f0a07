"""Tags and filters of our templates: ``{% load redrive %}``.

``{% badge %}``, ``{% moment %}`` (a time with its zone, and how long ago), ``{% ago %}`` (only how
long ago), ``{% distance_words %}`` (for the script that keeps those up to date),
``{% zone_field %}`` (for forms in which a time is typed), ``{% table %}`` and
``{% filter_links %}`` (of Django's lists, in one pass);
``|shown`` translates what was stored in English.
"""

from django.template import Library

from entries import phrases
from entries.admin import display, distance, filter_links, rows, zones

register = Library()
register.simple_tag(display.format_badge, name="badge")
register.simple_tag(display.format_time, name="moment")
register.simple_tag(display.format_moment, name="ago")
register.simple_tag(distance.format_words, name="distance_words")
register.simple_tag(zones.format_zone_field, name="zone_field")
register.simple_tag(rows.render_table, name="table")
register.simple_tag(filter_links.render_filter, name="filter_links")
register.filter("shown", phrases.show)
