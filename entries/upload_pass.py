"""A signed token in the address of an upload form, checked without a database.

Bodies of hundreds of megabytes are accepted only from users who were shown such a form; other
requests are refused before the first byte of the body is read.
"""

from urllib.parse import urlencode

from django.core import signing

FIELD = "upload"
_SALT = "redrive.upload"
#: Seconds for which an open page can send its file.
VALID_SECONDS = 12 * 3600


def sign(user_id: int) -> str:
    """Return the value of ``FIELD`` for the address that a form is sent to."""
    return signing.TimestampSigner(salt=_SALT).sign(str(user_id))


def add_pass(path: str, *, user_id: int) -> str:
    """Return the address of a form that may send a file."""
    return f"{path}?{urlencode({FIELD: sign(user_id)})}"


def is_valid(value: str) -> bool:
    """Say whether ``sign`` made it within the last twelve hours."""
    try:
        signing.TimestampSigner(salt=_SALT).unsign(value, max_age=VALID_SECONDS)
    except signing.BadSignature:
        return False
    return True
