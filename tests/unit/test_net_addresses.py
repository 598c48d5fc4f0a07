"""Nobody leads a fetch into the network it runs in."""

import socket
from typing import Any

import pytest

from entries.errors import PermanentError
from entries.net import (
    AddressRefused,
    Unreachable,
)
from entries.net.addresses import is_allowed
from tests.support.fetching import get
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            *["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"],
            *["0.0.0.0", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1"],
            *["240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1%eth0"],
            *["fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1", "2001:db8::1", "3fff::1"],
            *["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"],
            *["192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.0.0.255", "192.88.99.1"],
            *["198.51.100.1", "203.0.113.1", "239.255.255.255", "2001:2::1", "2001:10::1"],
            *["2001:20::1", "2001:1::1", "100::1", "100:0:0:1::1", "2002:c000:8::1", "fe80::1"],
            *["::ffff:192.0.0.8", "64:ff9b::c000:8", "3fff:fff::1", "4000::1"],
            *["64:ff9b:1::1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:4136:e378::1", "5f00::1"],
        ],
    )
    def test_only_public_ones_are_allowed(self, settings: Any, address: str) -> None:
        settings.REDRIVE_ALLOWED_NETWORKS = []
        assert not is_allowed(address)
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        assert is_allowed(address)

    @pytest.mark.parametrize(
        "address",
        [
            "93.184.216.34",
            "192.0.1.1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:2800:220:1::1",
            "::ffff:93.184.216.34",
            "64:ff9b::5db8:d822",
        ],
    )
    def test_public_ones_are(self, settings: Any, address: str) -> None:
        settings.REDRIVE_ALLOWED_NETWORKS = []
        assert is_allowed(address)

    def test_single_networks_can_be_opened(self, settings: Any) -> None:
        settings.REDRIVE_ALLOWED_NETWORKS = ["10.20.0.0/16", "fd12::/32"]
        assert is_allowed("10.20.3.4")
        assert is_allowed("::ffff:10.20.3.4")
        assert is_allowed("fd12::1")
        assert not is_allowed("10.21.0.1")
        assert not is_allowed("127.0.0.1")

    @pytest.mark.parametrize(
        "host",
        ["localhost", "127.1", "2130706433", "0x7f000001", "017700000001", "127.0.0.1", "[::1]"],
    )
    def test_all_spellings_of_this_machine_are_refused(
        self, server: LocalServer, settings: Any, host: str
    ) -> None:
        settings.REDRIVE_ALLOWED_NETWORKS = []
        server.answer("/a")
        with pytest.raises(AddressRefused):
            get(server.url("/a", host=host))
        assert server.received == []

    @pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "::1"])
    def test_a_public_name_with_a_private_address_is_refused(
        self, server: LocalServer, settings: Any, names: "Names", address: str
    ) -> None:
        settings.REDRIVE_ALLOWED_NETWORKS = []
        server.answer("/a")
        names.says("evil.example", [address])
        with pytest.raises(AddressRefused, match=r"^evil\.example is at"):
            get(server.url("/a", host="evil.example"))
        assert server.received == []

    def test_a_name_is_asked_once_and_its_answer_is_what_is_connected_to(
        self, server: LocalServer, names: "Names"
    ) -> None:
        server.answer("/a", "from the checked address")
        names.says("moving.example", ["127.0.0.1"], then=["127.0.0.2"])
        answer = get(server.url("/a", host="moving.example"))
        assert answer.body == b"from the checked address"
        assert server.received[0].headers["host"] == f"moving.example:{server.port}"
        assert names.asked.count("moving.example") == 1

    def test_private_ones_among_public_ones_are_passed_over(
        self, server: LocalServer, names: "Names"
    ) -> None:
        server.answer("/a", "hello")
        names.says("both.example", ["10.0.0.1", "127.0.0.1"])
        assert get(server.url("/a", host="both.example")).body == b"hello"

    def test_an_address_that_refuses_does_not_hide_the_next(
        self, server: LocalServer, settings: Any, names: "Names"
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        server.answer("/a", "hello")
        names.says("two.example", ["127.0.0.2", "127.0.0.1"])
        assert get(server.url("/a", host="two.example")).body == b"hello"

    def test_a_name_without_an_address_may_have_one_later(self, names: "Names") -> None:
        names.says("gone.example", [])
        with pytest.raises(Unreachable, match=r"the name gone\.example could not be resolved"):
            get("http://gone.example/")

    @pytest.mark.parametrize(
        "url",
        [
            *["", "  ", "example.org", "//example.org/", "/etc/passwd", "file:///etc/passwd"],
            *["ftp://example.org", "javascript:alert(1)", "data:,x", "http://", "http:///x"],
            *["http://[::1", "http://a:99999999/", "http://a:b/", "http://\x00/", "http://a\nb/"],
            *["http://a:0/", "http://0177.0.0.1/", "http://" + "a" * 70_000, "http://\ud800/"],
        ],
    )
    def test_what_is_no_web_address_is_refused_for_good(self, url: str) -> None:
        with pytest.raises(PermanentError):
            get(url)


class Names:
    """A name server's answers; names it was not told about go to the real one."""

    def __init__(self) -> None:
        self._ask = socket.getaddrinfo
        self._answers: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []

    def says(self, name: str, addresses: list[str], *, then: list[str] | None = None) -> None:
        self._answers[name] = [addresses, *([then] if then else [])]

    def getaddrinfo(self, host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if answers is None:
            return self._ask(host, port, *args, **kwargs)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    double = Names()
    monkeypatch.setattr(socket, "getaddrinfo", double.getaddrinfo)
    return double
