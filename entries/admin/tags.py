"""``{% badge state %}`` and ``{% moment when %}`` in every template, without loading them."""

from django.template import Library

from entries.admin import display

register = Library()
register.simple_tag(display.format_badge, name="badge")
register.simple_tag(display.format_moment, name="moment")
