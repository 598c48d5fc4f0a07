"""What Redis holds is input: whatever others put there costs a line in the log at most."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from entries.models import Entry
from retry import queue
from retry.models import Run
from tests.admin.browsing import ENTRIES, Browser
from tests.support.asking import queued_entries
from tests.support.processes import listening_worker, manage
from tests.support.servers import Spawned, wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "rq:queue:redrive-default"
INTERMEDIATE = f"{LIST}:intermediate"
STARTED = "rq:wip:redrive-default"
NOT_TEXT = b"\xff\xfe job"


@pytest.fixture
def worker(dispatcher: Spawned) -> Iterator[Spawned]:
    with listening_worker("default") as process:
        yield process


def settled(ids: list[int]) -> bool:
    return set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"succeeded"}


def goes_on(*processes: Spawned) -> None:
    """An honest entry is processed, and nobody has ended or begun anew."""
    ids = queued_entries(2)
    wait_until(lambda: settled(ids), timeout=25, what="an honest entry is processed")
    for process in processes:
        assert process.running
        assert "unhandled exception" not in process.output
        assert "Traceback" not in process.output


def test_members_that_are_no_text(dispatcher: Spawned, worker: Spawned) -> None:
    redis = queue.get_client()
    for key in (LIST, INTERMEDIATE):
        redis.rpush(key, *(NOT_TEXT + bytes([number]) for number in range(50)))
    redis.zadd(STARTED, {NOT_TEXT: 1, b"\x80:\x80": 9_999_999_999})
    goes_on(dispatcher, worker)
    wait_until(lambda: not redis.exists(LIST, INTERMEDIATE, STARTED), what="they are taken away")


def test_hashes_of_jobs_that_are_malformed(dispatcher: Spawned, worker: Spawned) -> None:
    redis = queue.get_client()
    honest: dict[Any, Any] = {
        "data": b"x",
        "created_at": "2026-01-01T00:00:00Z",
        "status": "queued",
    }
    malformed: tuple[dict[Any, Any], ...] = (
        {"created_at": "yesterday"},
        {"timeout": "soon"},
        {"status": "asleep"},
        {"result_ttl": "never"},
        {"data": b"\xff" * 100},
        {"origin": b"\xff"},
        {b"\xff": b"\xff"},
    )
    for number, field in enumerate(malformed):
        redis.hset(f"rq:job:bad-{number}", mapping=honest | field)
        redis.rpush(LIST, f"bad-{number}")
    redis.set("rq:job:bad-string", "no hash")
    redis.rpush(LIST, "bad-string", "gone")
    goes_on(dispatcher)
    assert worker.running
    assert "unhandled exception" not in worker.output


@pytest.mark.parametrize(
    "key", [LIST, INTERMEDIATE, STARTED, "rq:queues", "rq:failed:redrive-default"]
)
def test_a_key_of_another_type(dispatcher: Spawned, worker: Spawned, key: str) -> None:
    redis = queue.get_client()
    redis.delete(key)
    redis.set(key, "no list")
    ids = queued_entries(1)
    wait_until(lambda: settled(ids), timeout=25)
    assert dispatcher.running
    assert worker.running


def test_what_a_worker_reads_at_its_start(dispatcher: Spawned) -> None:
    """Also a hash of its own name that a killed one has left behind."""
    redis = queue.get_client()
    redis.sadd("rq:workers", NOT_TEXT, "rq:worker:ghost", "nonsense")
    redis.set("rq:workers:default", "no set")
    redis.set("rq:suspended", "1")
    redis.set("rq:clean_registries:default", "1", ex=5)
    redis.sadd("rq:groups", NOT_TEXT)
    redis.hset("rq:worker:ghost", mapping={"pid": "many", "birth": "never", "queues": b"\xff"})
    redis.hset("rq:worker:w1", mapping={"birth": "2026-01-01T00:00:00Z", "pid": "1"})
    redis.zadd(STARTED, {NOT_TEXT: 1})
    with manage("worker", "default", "--name", "w1") as worker:
        worker.wait_for_output("Listening on")
        goes_on(worker, dispatcher)


def test_no_page_stumbles(operator: "User") -> None:
    at_desk = Browser(operator)
    redis = queue.get_client()
    redis.sadd("rq:workers", NOT_TEXT, "rq:worker:ghost")
    redis.hset("rq:worker:ghost", mapping={"pid": "many", "birth": "never", "queues": b"\xff"})
    redis.rpush("rq:queue:redrive-bulk", NOT_TEXT)
    redis.set(LIST, "no list")
    cache.clear()
    for url in ("/admin/", ENTRIES, "/admin/retry/status/"):
        at_desk.read(url)


def test_a_click_while_a_key_is_of_another_type_is_accepted() -> None:
    queue.get_client().set(LIST, "no list")
    queued_entries(1)
    assert Run.objects.get().dispatches == 0, "the dispatcher hands it over"
