"""The client's address, by which limits, logs and the audit go.

Any client can send ``X-Forwarded-For``. It counts only as far as proxies that a setting names have
written it: read from the right, the first address that is no such proxy is the client.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Network = IPv4Network | IPv6Network
#: A server on a Unix socket reports these as the peer; the setting calls them unix.
_UNIX = frozenset({"", "localhost"})
#: Headers that only a proxy may send; from other peers they are dropped.
_PROXY_HEADERS = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)


class Proxies:
    """The proxies to trust.

    ``names``: addresses, networks such as 10.0.0.0/8, or ``unix`` for a Unix socket.
    """

    def __init__(self, names: Iterable[str]) -> None:
        stripped = [name.strip() for name in names if name.strip()]
        self._unix = "unix" in stripped
        try:
            self._networks = [ip_network(name) for name in stripped if name != "unix"]
        except ValueError as error:
            raise ImproperlyConfigured(
                f"REDRIVE_TRUSTED_PROXIES: {error}. Give addresses or networks."
            ) from error

    def resolve_client(self, environ: "WSGIEnvironment") -> None:
        """Write the client's address to ``REMOTE_ADDR``, and drop headers of untrusted peers."""
        sender = str(environ.get("REMOTE_ADDR", ""))
        if not self._trusts(sender):
            for name in _PROXY_HEADERS:
                environ.pop(name, None)
            return
        chain = str(environ.pop("HTTP_X_FORWARDED_FOR", ""))
        environ["REMOTE_ADDR"] = self._client(chain) or sender

    def _client(self, chain: str) -> str:
        """Return the last address in the chain that is no proxy's; empty if there is none."""
        client = ""
        for part in reversed(chain.split(",")):
            address = _address(part)
            if not address:
                break  # not an address: what stands before it cannot be trusted either
            client = address
            if not self._trusts(address):
                break
        return client

    def _trusts(self, address: str) -> bool:
        if address in _UNIX:
            return self._unix
        try:
            known = ip_address(address)
        except ValueError:
            return False
        return any(known in network for network in self._networks)


def _address(part: str) -> str:
    """Return an address without port and brackets; empty if it is none."""
    text = part.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return ""


def client_address(request: HttpRequest) -> str:
    """Return the address that ``resolve_client`` has written; for django-axes."""
    return str(request.META.get("REMOTE_ADDR", ""))
