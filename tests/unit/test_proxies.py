"""Whose word about a client's address counts."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.web.proxies import Proxies

PROXIES = Proxies(["10.0.0.5", "192.168.0.0/16", "fd00::/8", " ", ""])


def put_right(sender: str, proxies: Proxies | None = None, **said: Any) -> dict[str, Any]:
    environ = {"REMOTE_ADDR": sender, **{f"HTTP_{name}": value for name, value in said.items()}}
    proxies = proxies or PROXIES
    proxies.resolve_client(environ)
    return environ


@pytest.mark.parametrize(
    ("sender", "chain", "client"),
    [
        ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "203.0.113.7, 192.168.3.4", "203.0.113.7"),
        ("10.0.0.5", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.5", "192.168.3.4", "192.168.3.4"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "nonsense", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.7, nonsense", "10.0.0.5"),
        ("10.0.0.5", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.5", '"[2001:db8::7]:4711"', "2001:db8::7"),
        ("10.0.0.5", "2001:DB8::0007", "2001:db8::7"),
        ("fd00::1", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.9", "127.0.0.1", "203.0.113.9"),
        ("10.0.0.6", "203.0.113.7", "10.0.0.6"),
    ],
)
def test_the_address_is_the_last_one_that_no_proxy_of_ours_has(
    sender: str, chain: str, client: str
) -> None:
    assert put_right(sender, X_FORWARDED_FOR=chain)["REMOTE_ADDR"] == client


def test_what_only_proxies_may_say_is_taken_from_everybody_else() -> None:
    said: dict[str, Any] = {
        "X_FORWARDED_FOR": "127.0.0.1",
        "X_FORWARDED_PROTO": "https",
        "X_REAL_IP": "::1",
    }
    assert put_right("203.0.113.9", **said) == {"REMOTE_ADDR": "203.0.113.9"}
    kept = put_right("10.0.0.5", **said)
    assert kept["HTTP_X_FORWARDED_PROTO"] == "https"
    assert "HTTP_X_FORWARDED_FOR" not in kept, "nobody reads it a second time"


@pytest.mark.parametrize("sender", ["", "localhost"])
def test_a_unix_socket_has_a_name_of_its_own(sender: str) -> None:
    said = {"X_FORWARDED_FOR": "203.0.113.7"}
    assert put_right(sender, Proxies(["unix"]), **said)["REMOTE_ADDR"] == "203.0.113.7"
    assert put_right(sender, Proxies([]), **said)["REMOTE_ADDR"] == sender
    assert put_right("203.0.113.9", Proxies(["unix"]), **said)["REMOTE_ADDR"] == "203.0.113.9"


@pytest.mark.parametrize("name", ["example.com", "10.0.0.5/8", "300.1.1.1"])
def test_a_name_that_is_none_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDRIVE_TRUSTED_PROXIES"):
        Proxies([name])
