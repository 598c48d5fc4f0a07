"""Rules for the secret and the address of an endpoint; pure."""

import base64
import binascii
import secrets

from entries.net import InvalidAddress
from entries.net.urls import parse

PREFIX = "whsec_"
_SHORTEST, _LONGEST, _FRESH = 24, 64, 32


def create_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_FRESH)).decode("ascii")


def find_secret_problem(secret: str) -> str:
    """Return why ``secret`` is not one of Standard Webhooks, without repeating it; empty if it is.

    ``whsec_`` and 24 to 64 bytes in base64: "Signature scheme" in the specification of Standard
    Webhooks. Padding may be missing, as its libraries allow.
    """
    if not secret.startswith(PREFIX):
        return f"a secret begins with {PREFIX}"
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return f"after {PREFIX} a secret is base64"
    if not _SHORTEST <= len(key) <= _LONGEST:
        return f"a secret has {_SHORTEST} to {_LONGEST} bytes, this one has {len(key)}"
    return ""


def find_address_problem(url: str) -> str:
    """Return why nothing can be delivered to ``url``; empty where it can.

    Whether its host may be connected to is not checked here, because names move.
    """
    try:
        parsed = parse(url)
    except InvalidAddress as error:
        return str(error)
    if parsed.userinfo:
        return (
            "user and password do not belong in the address: deliveries are signed, which shows "
            "where they come from"
        )
    return ""
