"""Limits on requests a minute, for each token and each address."""

import hashlib
from functools import lru_cache
from ipaddress import ip_network

from django.conf import settings
from django.http import HttpRequest

from retry.api.http.problems import Problem
from retry.rates import Rate

addresses, tokens = Rate("address"), Rate("token")


def check_rate(request: HttpRequest) -> None:
    """Count a request for its address and its token, known or not. Raises ``Problem`` 429.

    Before anything else is done for it: neither a log-in nor the database is asked.
    """
    address = _group(str(request.META.get("REMOTE_ADDR", "")))
    limit = settings.REDRIVE_API_ADDRESS_RATE
    _refuse("address", addresses.count(address, limit=limit), limit=limit)
    scheme, _, token = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "bearer":
        digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()[:32]
        limit = settings.REDRIVE_API_TOKEN_RATE
        _refuse("token", tokens.count(digest, limit=limit), limit=limit)


def _refuse(what: str, wait: int | None, *, limit: int) -> None:
    if wait is not None:
        detail = f"At most {limit:,} requests a minute are accepted from one {what}."
        raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(wait)})


@lru_cache(maxsize=1_000)
def _group(address: str) -> str:
    """Return the network of an IPv6 address that one customer has; an IPv4 address as it is."""
    return str(ip_network((address, 64), strict=False)) if ":" in address else address
