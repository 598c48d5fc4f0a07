"""Where Redis is, by ``REDIS_URL``: one server, or the one that Sentinels name as the master.

``redis+sentinel://user:password@sentinel-1:26379,sentinel-2:26379/master/0``, with
``rediss+sentinel`` for TLS. Sentinels have their own ``?sentinel_username=…&sentinel_password=…``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_FORM = "redis+sentinel://[user:password@]host:port,host:port/name of the master[/database]"
_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelAddress:
    """``login`` is for Redis, ``sentinel_login`` for Sentinels, both as the client names it."""

    sentinels: tuple[tuple[str, int], ...]
    master: str
    login: Mapping[str, Any]
    sentinel_login: Mapping[str, Any]


def parse_sentinels(url: str) -> SentinelAddress | None:
    """Parse an address of Sentinels; None for one of a server.

    Raises ``ImproperlyConfigured``, without the text of the address, which has a password.
    """
    scheme, plus, rest = url.partition("+sentinel://")
    if not plus or scheme not in {"redis", "rediss"}:
        return None
    parts = urlsplit(f"redis://{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    master, _, database = parts.path.strip("/").partition("/")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = {"ssl": True} if scheme == "rediss" else {}
    known = {"sentinel_username", "sentinel_password"}
    if not master or not hosts or options.keys() - known or not (database or "0").isdigit():
        raise ImproperlyConfigured(f"REDIS_URL of Sentinels has the form {_FORM}")
    return SentinelAddress(
        sentinels=tuple(map(_parse_host, hosts.split(","))),
        master=unquote(master),
        login=tls
        | {"db": int(database or 0)}
        | _without_empty(username=unquote(user), password=unquote(password)),
        sentinel_login=tls
        | _without_empty(
            username=options.get("sentinel_username", ""),
            password=options.get("sentinel_password", ""),
        ),
    )


def _parse_host(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port or _PORT
    except ValueError:
        host = None
    if not host:
        raise ImproperlyConfigured(f"REDIS_URL of Sentinels has the form {_FORM}")
    return host, port


def _without_empty(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
