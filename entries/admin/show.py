"""How single values are shown. Whatever came from outside leaves here escaped."""

import json
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from entries.text import one_line

NOTHING = "—"
#: Of the name of an error in a list.
_LONGEST_CLASS = 60


def badge(state: str) -> SafeString:
    """The word for a state; its colour and mark only repeat it."""
    return render_to_string("entries/badge.html", {"state": state})


def moment(when: datetime | None) -> SafeString | str:
    """How long ago, with the exact time for those who point at it."""
    return render_to_string("entries/moment.html", {"when": when}) if when else NOTHING


def duration(begin: datetime | None, end: datetime | None) -> str:
    """``"0.4 s"``, ``"12 s"``, ``"3 min 05 s"``, ``"2 h 07 min"``; empty where one is missing."""
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


def error_line(error_class: str, message: str, *, length: int = 120) -> SafeString | str:
    """Class and message on one line, the whole message for those who point at it.

    Each in an element of its own, which a text from right to left does not leave.
    """
    if not error_class:
        return NOTHING
    return format_html(
        '<span class="error-line" title="{}"><b><bdi>{}</bdi></b> <bdi>{}</bdi></span>',
        f"{error_class} {message}" if len(error_class) > _LONGEST_CLASS else message,
        Truncator(error_class).chars(_LONGEST_CLASS),
        Truncator(one_line(message, limit=1_000)).chars(length),
    )


def name(text: str, *, length: int = 160) -> SafeString:
    """What something from outside is called, cut where it is long."""
    return format_html(
        "<bdi{}>{}</bdi>",
        format_html(' title="{}"', text) if len(text) > length else "",
        Truncator(text).chars(length),
    )


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def json_block(value: Any) -> SafeString | str:
    return NOTHING if value is None else format_html('<pre class="code">{}</pre>', pretty(value))
