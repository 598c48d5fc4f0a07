"""External ids: as sources have them, and as they are stored; pure."""

import hashlib
import math

from entries.text import clean_text

MAX_ID = 500


def clean_id(external_id: object) -> str:
    """Return ``external_id`` as it is stored: what PostgreSQL cannot store is replaced.

    One that is too long stays too long (``MAX_ID + 1`` characters), so that it matches no entry.
    """
    return clean_text(external_id, limit=MAX_ID + 1)


def is_storable(external_id: str) -> bool:
    """Say whether PostgreSQL can take it as it is, in a query as well."""
    return clean_text(external_id, limit=len(external_id)) == external_id


def format_id(value: object) -> str:
    """Return an id given as text or number as text; empty for anything else.

    Spreadsheets have whole numbers as floats: 17.0 is "17".
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return "" if isinstance(value, float) and not math.isfinite(value) else str(value)


def shorten_id(external_id: str) -> str:
    """Return ``external_id``, or where it is too long its beginning and a digest of the whole."""
    if len(external_id) <= MAX_ID:
        return external_id
    digest = hashlib.sha256(external_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{external_id[: MAX_ID - 66]}…:{digest}"
