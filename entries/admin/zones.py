"""The time zone of a page: that of the browser, or else ``TIME_ZONE``."""

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

#: In a form: the zone in which its times are typed. The browser's may be another by then.
FIELD = "time_zone"


def get_zone_name() -> str:
    """``Europe/Berlin``"""
    return str(timezone.get_current_timezone())


def format_zone_field() -> SafeString:
    """Format the hidden field of a form in which a time is typed."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, get_zone_name())
