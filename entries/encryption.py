"""Secrets as they are stored: encrypted with a key from the environment.

``REDRIVE_ENCRYPTION_KEYS``, or where it is empty ``SECRET_KEY`` and its fallbacks. The first key
encrypts, all of them decrypt, so that a key can be replaced while everything runs. A stored secret
begins with ``fernet:``; one that does not is from before there was encryption, and read as it is.
"""

import base64
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField

PREFIX = "fernet:"
_PURPOSE = b"redrive: secrets in the database"


def encrypt(secret: str) -> str:
    """Encrypt with the first key; what is encrypted already, or empty, stays as it is."""
    if not secret or secret.startswith(PREFIX):
        return secret
    return PREFIX + _build_keys(find_keys()).encrypt(secret.encode()).decode("ascii")


def decrypt(stored: str) -> str:
    """Return the secret; ``stored`` itself where no key fits, which is no secret of any format."""
    return _decrypt(stored, find_keys()) if stored.startswith(PREFIX) else stored


def is_unreadable(secret: str) -> bool:
    """Whether no key fitted a secret when it was read."""
    return secret.startswith(PREFIX)


def find_keys() -> tuple[str, ...]:
    """Return the keys of the settings, the one that encrypts first."""
    named = tuple(settings.REDRIVE_ENCRYPTION_KEYS)
    return named or (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


class SecretField(_TextField):
    """A text that is encrypted in the database and plain in Python."""

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return encrypt(value) if isinstance(value, str) else value

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return value if value is None else decrypt(value)


@lru_cache(maxsize=2048)
def _decrypt(stored: str, keys: tuple[str, ...]) -> str:
    opened = _open(stored, _build_keys(keys))
    return stored if opened is None else opened


def _open(stored: str, keys: MultiFernet) -> str | None:
    try:
        return keys.decrypt(stored.removeprefix(PREFIX)).decode()
    except InvalidToken:
        return None


@cache
def _build_keys(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    """Make 32 bytes of a key of any length; it is random already, so that no salt is needed."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
