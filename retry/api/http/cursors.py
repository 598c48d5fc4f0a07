"""Cursors as callers get them: opaque, signed, and good for one list with one filter."""

import hashlib
from collections.abc import Sequence

from django.core.signing import BadSignature, Signer
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from retry.api.http.problems import Problem
from retry.pages import Cursor, InvalidCursor, Keyset


def sign_cursor(cursor: Cursor | None, *, bound_to: Sequence[str]) -> str | None:
    """Return the text of a cursor; None for none. ``bound_to``: the list and its filter."""
    if cursor is None:
        return None
    return _get_signer(bound_to).sign(urlsafe_base64_encode(str(cursor).encode()))


def parse_cursor(text: str | None, order: Keyset, *, bound_to: Sequence[str]) -> Cursor | None:
    """Raises ``Problem`` 422 for a text that ``sign_cursor`` did not make for the same list."""
    if text is None:
        return None
    try:
        return order.parse(urlsafe_base64_decode(_get_signer(bound_to).unsign(text)).decode())
    except (BadSignature, InvalidCursor, ValueError):
        raise Problem(422, "invalid_cursor") from None


def _get_signer(bound_to: Sequence[str]) -> Signer:
    digest = hashlib.sha256("\0".join(bound_to).encode("utf-8", "surrogatepass")).hexdigest()
    return Signer(salt=f"retry.api.cursor.{digest}", sep=".")
