"""What a token looks like: ``redrive_``, 40 random characters and a checksum of six.

Prefix and checksum let secret scanners know a token from other text, and let the desk refuse what
was never one without a look into the database.
"""

import re
import secrets
import string
import zlib

PREFIX = "redrive_"
#: For secret scanners.
PATTERN = re.compile(r"redrive_[0-9A-Za-z]{46}")
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECKSUM = 40, 6


def make_token() -> str:
    """Return a new token of 238 random bits."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{random}{_sum(random)}"


def may_be_token(text: str) -> bool:
    """Whether it may have been made here; False for what was mistyped, cut off or made up.

    Tokens from before there were checksums have another prefix.
    """
    if not text.startswith(PREFIX):
        return bool(text)
    random = text[len(PREFIX) : -_CHECKSUM]
    return bool(PATTERN.fullmatch(text)) and text.endswith(_sum(random))


def _sum(text: str) -> str:
    """Return the CRC-32 of a text in base 62."""
    rest, digits = zlib.crc32(text.encode()), ""
    while len(digits) < _CHECKSUM:
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
