"""Who is on the other side: the address that limits, logs and the audit go by.

Anybody can send ``X-Forwarded-For``. What it says counts only as far as proxies that a setting
names have written it: read from the right, the first address that is none of theirs is the client.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

Network = IPv4Network | IPv6Network
#: A server on a Unix socket says this of whoever connects; the word for it in the setting is unix.
_UNIX = frozenset({"", "localhost"})
#: What only a proxy may say; from everybody else it is taken away.
_SAID_BY_PROXIES = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)


class Proxies:
    """``names``: addresses, networks such as 10.0.0.0/8, or ``unix`` for a Unix socket."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = [name.strip() for name in names if name.strip()]
        self._unix = "unix" in wanted
        try:
            self._networks = [ip_network(name) for name in wanted if name != "unix"]
        except ValueError as error:
            raise ImproperlyConfigured(
                f"REDRIVE_TRUSTED_PROXIES: {error}. Give addresses or networks."
            ) from error

    def put_right(self, environ: "WSGIEnvironment") -> None:
        """Write the client's address into ``REMOTE_ADDR``, and drop what nobody may say."""
        sender = str(environ.get("REMOTE_ADDR", ""))
        if not self._trusts(sender):
            for name in _SAID_BY_PROXIES:
                environ.pop(name, None)
            return
        chain = str(environ.pop("HTTP_X_FORWARDED_FOR", ""))
        environ["REMOTE_ADDR"] = self._client(chain) or sender

    def _client(self, chain: str) -> str:
        """Return the last address of the chain that is no proxy's; empty where there is none."""
        client = ""
        for part in reversed(chain.split(",")):
            address = _address(part)
            if not address:
                break  # whoever wrote this is not to be believed, nor what stands before it
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
    """Return an address without port and brackets, as it is compared; empty where it is none."""
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
    """Return what ``put_right`` has written, for whoever would look at headers otherwise."""
    return str(request.META.get("REMOTE_ADDR", ""))
