"""A hundred requests at once: none gets what is another's, and all fit into memory."""

import gzip
import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData
from entries.net import resolver, send
from entries.net.deadline import Deadline, DeadlinePassed
from entries.net.errors import Unreachable
from entries.net.resolver import Resolver
from tests.support.fetching import MEGABYTE, get, peak_memory
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")

THREADS = 100
ATTEMPT = AttemptData(number=1, run_id="r", trigger="submit", idempotency_key="k")


def at_once(work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(0)`` to ``work(99)`` in threads that all begin together."""
    barrier = threading.Barrier(THREADS)

    def begin(number: int) -> Any:
        barrier.wait(30)
        return work(number)

    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(begin, range(THREADS)))


def test_each_gets_its_own_answers(keeper: LocalServer) -> None:
    for number in range(THREADS):
        keeper.answer(f"/{number}", f"answer {number}" * 50)

    def work(number: int) -> bool:
        url, right = keeper.url(f"/{number}"), f"answer {number}".encode() * 50
        for _ in range(5):
            assert get(url, seconds=60).body == right
            sent = send(url, body=b"%d" % number, headers={}, seconds=60, max_bytes=10_000)
            assert sent.body == right
        return True

    assert all(at_once(work))
    assert len(keeper.received) == 10 * THREADS
    assert len(keeper.accepted) <= THREADS
    posted = [each for each in keeper.received if each.method == "POST"]
    assert all(each.path == f"/{int(each.body)}" for each in posted)


def test_a_hundred_large_pages_fit_into_memory(keeper: LocalServer) -> None:
    body = bytes(range(250)) * 20_000
    sha256 = hashlib.sha256(body).hexdigest()
    keeper.answer("/plain", body)
    keeper.answer("/gzip", gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})
    assert len(body) == 5 * MEGABYTE

    def work(number: int) -> Any:
        url = keeper.url("/gzip" if number % 2 else "/plain")
        data = EntryData(number, "page", None, "e", "E", {"url": url})
        return registry.get("page").process(data, ATTEMPT)

    with peak_memory(below=60 * MEGABYTE):
        results = at_once(work)
    assert {(each["size"], each["sha256"]) for each in results} == {(len(body), sha256)}


class TestResolver:
    def test_those_who_ask_at_once_share_one_lookup(self, names: "Names") -> None:
        own = Resolver()
        found = at_once(lambda _: own.resolve("a.example", 80, Deadline(30)))
        assert found == [["192.0.2.1"]] * THREADS
        assert names.asked == ["a.example"]

    def test_an_answer_is_kept_for_a_moment(
        self, names: "Names", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        own = Resolver()
        own.resolve("a.example", 80, Deadline(5))
        own.resolve("a.example", 80, Deadline(5))
        assert len(names.asked) == 1
        monkeypatch.setattr(resolver, "KEPT_SECONDS", 0.0)
        own.resolve("a.example", 80, Deadline(5))
        assert len(names.asked) == 2

    def test_no_answer_is_not_kept(self, names: "Names") -> None:
        own = Resolver()
        names.known = False
        with pytest.raises(Unreachable, match=r"the name a\.example could not be resolved"):
            own.resolve("a.example", 80, Deadline(5))
        names.known = True
        assert own.resolve("a.example", 80, Deadline(5)) == ["192.0.2.1"]

    def test_a_name_server_that_is_silent_holds_up_nobody_beyond_the_deadline(
        self, names: "Names"
    ) -> None:
        own = Resolver()
        names.open.clear()
        for _ in range(2):
            with pytest.raises(DeadlinePassed):
                own.resolve("a.example", 80, Deadline(0.1))
        names.open.set()
        assert own.resolve("b.example", 80, Deadline(5)) == ["192.0.2.1"]

    def test_the_number_of_names_is_bounded(
        self, names: "Names", monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resolver, "MOST_NAMES", 3)
        own = Resolver()
        for number in range(10):
            own.resolve(f"{number}.example", 80, Deadline(5))
        assert len(own._lookups) == 3


class Names:
    """A name server that answers while it is ``open``, with an address where names are known."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.known = True
        self.open = threading.Event()
        self.open.set()

    def getaddrinfo(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        self.open.wait(30)
        if not self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    double = Names()
    monkeypatch.setattr(socket, "getaddrinfo", double.getaddrinfo)
    yield double
    double.open.set()
