"""Single values as HTML. Everything that came from outside is escaped here.

Lists call this for every row, so nothing here renders a template.
"""

import json
from datetime import datetime
from functools import cache
from html import escape
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext

from entries.admin.distance import describe_distance
from entries.admin.numbers import format_number
from entries.text import one_line

NOTHING = "—"
#: Characters of an error class in a list.
_MAX_CLASS = 60


def format_badge(state: str) -> SafeString:
    """Format a state as its word; colour and mark only repeat it."""
    return _build_badge(state, gettext(state.replace("_", " ")))


@cache
def _build_badge(state: str, word: str) -> SafeString:
    return format_html('<span class="badge badge-{}">{}</span>', state, word)


def format_moment(when: datetime | None) -> SafeString | str:
    """Format a time for a list, as how long ago it was; the exact time is in the title."""
    return NOTHING if when is None else _format_time(when, _describe(when), css="ago")


def format_time(when: datetime | None) -> SafeString | str:
    """Format a time with its zone, and how long ago it was beside it."""
    if when is None:
        return NOTHING
    local = timezone.localtime(when)
    exact = _format_time(when, f"{local:%Y-%m-%d %H:%M} {local.tzname()}")
    distance = _format_time(when, _describe(when), css="ago")
    return SafeString(f'{exact} <span class="quiet">({distance})</span>')


def _describe(when: datetime) -> str:
    return describe_distance(when, now=timezone.now())


def _format_time(when: datetime, words: str, *, css: str = "") -> SafeString:
    """``static/redrive/times.js`` keeps those of the class ``ago`` up to date."""
    local = timezone.localtime(when)
    exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    names = f' class="{css}"' if css else ""
    return SafeString(
        f'<time{names} datetime="{local.isoformat()}" title="{escape(exact)}">'
        f"{escape(words)}</time>"
    )


def format_gone(since: datetime | None) -> SafeString:
    """Format a mark for an entry that its source has not had ``since`` then; empty for others."""
    if since is None:
        return SafeString("")
    moment = date_format(timezone.localtime(since), "Y-m-d H:i T")
    return format_html(
        ' <span class="badge badge-gone" title="{}">{}</span>',
        gettext("Not in its source since %(time)s") % {"time": moment},
        gettext("gone"),
    )


def format_duration(begin: datetime | None, end: datetime | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 05 s`` or ``2 h 07 min``; empty where a time is missing."""
    if begin is None or end is None:
        return ""
    seconds = max((end - begin).total_seconds(), 0.0)
    if seconds < 10:
        return f"{format_number(seconds, decimals=1)} s"
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
    title = f"{error_class} {message}" if len(error_class) > _MAX_CLASS else message
    name = _shorten(error_class, _MAX_CLASS)
    line = _shorten(one_line(message, limit=1_000), length)
    return SafeString(
        f'<span class="error-line" title="{escape(title)}"><b><bdi>{escape(name)}</bdi></b> '
        f"<bdi>{escape(line)}</bdi></span>"
    )


def format_name(text: str, *, length: int = 160) -> SafeString:
    """Format a name from outside, cut where it is long; the whole name is then in the title."""
    title = f' title="{escape(text)}"' if len(text) > length else ""
    return SafeString(f"<bdi{title}>{escape(_shorten(text, length))}</bdi>")


def _shorten(text: str, length: int) -> str:
    # Django counts combining characters, which takes long, and plain text has none.
    plain = text.isascii() and len(text) <= length
    return text if plain else Truncator(text).chars(length)


def format_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def format_json_block(value: Any) -> SafeString | str:
    return (
        NOTHING
        if value is None
        else format_html('<pre class="code" tabindex="0">{}</pre>', format_json(value))
    )
