"""Single values as HTML. Everything that came from outside is escaped here."""

import json
from datetime import datetime
from functools import cache
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from entries.text import one_line

NOTHING = "—"
#: Characters of an error class in a list.
_MAX_CLASS = 60


@cache
def format_badge(state: str) -> SafeString:
    """Format a state as its word; colour and mark only repeat it."""
    return render_to_string("entries/badge.html", {"state": state})


def format_moment(when: datetime | None) -> SafeString | str:
    """Format a time as how long ago it was; the exact time is in the title.

    The same as ``entries/moment.html``; that template for each row was a quarter of a list's time.
    """
    if when is None:
        return NOTHING
    local = timezone.localtime(when)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}",
        naturaltime(when),
    )


def format_duration(begin: datetime | None, end: datetime | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s`` or ``2 h 07 min``; empty where a time is missing."""
    if begin is None or end is None:
        return ""
    seconds = max((end - begin).total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, rest_minutes = divmod(minutes, 60)
    return f"{minutes} min {rest:02} s" if hours == 0 else f"{hours} h {rest_minutes:02} min"


def format_error(error_class: str, message: str, *, length: int = 120) -> SafeString | str:
    """Format class and message on one line; the whole message is in the title.

    Each has an element of its own, so that text written from right to left stays in it.
    """
    if not error_class:
        return NOTHING
    return format_html(
        '<span class="error-line" title="{}"><b><bdi>{}</bdi></b> <bdi>{}</bdi></span>',
        f"{error_class} {message}" if len(error_class) > _MAX_CLASS else message,
        Truncator(error_class).chars(_MAX_CLASS),
        Truncator(one_line(message, limit=1_000)).chars(length),
    )


def format_name(text: str, *, length: int = 160) -> SafeString:
    """Format a name from outside, cut where it is long; the whole name is then in the title."""
    return format_html(
        "<bdi{}>{}</bdi>",
        format_html(' title="{}"', text) if len(text) > length else "",
        Truncator(text).chars(length),
    )


def format_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def format_json_block(value: Any) -> SafeString | str:
    return (
        NOTHING if value is None else format_html('<pre class="code">{}</pre>', format_json(value))
    )
