"""How long ago a time was, or how far off it is, in a word or two."""

from datetime import datetime

from django.utils.translation import gettext, ngettext

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MONTH, _YEAR = 30 * _DAY, 365 * _DAY


def describe_distance(when: datetime, *, now: datetime) -> str:
    """``just now``, ``40 s ago``, ``3 min ago``, ``5 h ago``, ``2 days ago`` or ``in 4 min``.

    Rounded down, so that nothing seems older than it is.
    """
    seconds = int((now - when).total_seconds())
    if -1 <= seconds <= 1:
        return gettext("just now")
    span = _describe_span(abs(seconds))
    words = gettext("%(span)s ago") if seconds > 0 else gettext("in %(span)s")
    return words % {"span": span}


def _describe_span(seconds: int) -> str:
    if seconds < _MINUTE:
        return gettext("%(count)d s") % {"count": seconds}
    if seconds < _HOUR:
        return gettext("%(count)d min") % {"count": seconds // _MINUTE}
    if seconds < _DAY:
        return gettext("%(count)d h") % {"count": seconds // _HOUR}
    if seconds < 2 * _MONTH:
        count = seconds // _DAY
        return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
    if seconds < 2 * _YEAR:
        count = seconds // _MONTH
        return ngettext("%(count)d month", "%(count)d months", count) % {"count": count}
    count = seconds // _YEAR
    return ngettext("%(count)d year", "%(count)d years", count) % {"count": count}
