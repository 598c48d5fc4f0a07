"""Time zones by the names that browsers send."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

#: As in the tz database; what else lies in its folders begins with a small letter or has a dot.
_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*){0,2}")
_LONGEST = 50


@lru_cache(maxsize=128)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the zone of that name; None for any text that is none."""
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
