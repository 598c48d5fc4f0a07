"""How long ago a time was, or how far off it is, in a few words."""

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext_lazy

#: Seconds; shorter is not worth a number.
_NOW = 5
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTH, _YEAR = 30 * _DAY, 365 * _DAY
#: Below so many seconds: the seconds of a unit, and the words for the past and for the future. They
#: are whole, because languages decline the unit.
_UNITS = (
    (
        _MINUTE,
        1,
        ngettext_lazy("%(count)d s ago", "%(count)d s ago", "count"),
        ngettext_lazy("in %(count)d s", "in %(count)d s", "count"),
    ),
    (
        _HOUR,
        _MINUTE,
        ngettext_lazy("%(count)d min ago", "%(count)d min ago", "count"),
        ngettext_lazy("in %(count)d min", "in %(count)d min", "count"),
    ),
    (
        _DAY,
        _HOUR,
        ngettext_lazy("%(count)d h ago", "%(count)d h ago", "count"),
        ngettext_lazy("in %(count)d h", "in %(count)d h", "count"),
    ),
    (
        2 * _MONTH,
        _DAY,
        ngettext_lazy("%(count)d day ago", "%(count)d days ago", "count"),
        ngettext_lazy("in %(count)d day", "in %(count)d days", "count"),
    ),
    (
        2 * _YEAR,
        _MONTH,
        ngettext_lazy("%(count)d month ago", "%(count)d months ago", "count"),
        ngettext_lazy("in %(count)d month", "in %(count)d months", "count"),
    ),
    (
        float("inf"),
        _YEAR,
        ngettext_lazy("%(count)d year ago", "%(count)d years ago", "count"),
        ngettext_lazy("in %(count)d year", "in %(count)d years", "count"),
    ),
)


def describe_distance(when: datetime, *, now: datetime) -> str:
    """``just now``, ``40 s ago``, ``3 min ago``, ``5 h ago``, ``2 days ago`` or ``in 4 min``.

    Rounded down, so that nothing seems older than it is.
    """
    seconds = int((now - when).total_seconds())
    if -1 <= seconds < _NOW:
        return gettext("just now")
    distance = abs(seconds)
    _, size, past, future = next(unit for unit in _UNITS if distance < unit[0])
    words = past if seconds > 0 else future
    return str(words % {"count": distance // size})


def format_words() -> SafeString:
    """Format the words and the server's time for ``static/redrive/times.js``, as a ``<meta>``."""
    words = {
        "at": timezone.now().timestamp(),
        "now": gettext("just now"),
        "from": _NOW,
        "units": [
            {
                "below": None if below == _UNITS[-1][0] else below,
                "size": size,
                "past": [_format_number(past, number) for number in (1, 2)],
                "future": [_format_number(future, number) for number in (1, 2)],
            }
            for below, size, past, future in _UNITS
        ],
    }
    return format_html('<meta name="distances" content="{}">', json.dumps(words))


def _format_number(words: Any, number: int) -> str:
    """``# day ago``, ``# days ago``: one, and more than one."""
    return str(words % {"count": number}).replace(str(number), "#")
