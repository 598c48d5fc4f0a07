"""Tags and filters of every template, without loading them."""

from django.template import Library

from entries import phrases
from entries.admin import display, rows

register = Library()
register.simple_tag(display.format_badge, name="badge")
register.simple_tag(display.format_moment, name="moment")
register.simple_tag(rows.render_table, name="table")
register.filter("shown", phrases.show)
