"""``GET status``."""

import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from entries.lists import counts
from entries.states import EntryStatus
from retry.dispatcher.loop import Dispatcher
from retry.models import Heartbeat, Run
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.processes import manage, redis_at
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
NOWHERE = "unix:///nowhere/redis.sock"


def test_an_idle_desk(api: Caller) -> None:
    found = ok(api.get("status"))
    kept = {rule["name"]: rule["keep_days"] for rule in found.pop("retention")}
    assert (kept["attempts"], kept["failed"], kept["sessions"]) == (90, None, 0)
    assert found == {
        "entries": dict.fromkeys(EntryStatus, 0),
        "queues": {"default": 0, "bulk": 0, "sync": 0},
        "workers": [],
        "dispatcher": {"alive": False, "beat_at": None, "host": None, "pid": None},
        "undispatched": 0,
        "oldest_queued_at": None,
        "waits": {},
        "redis": True,
        "holds": [],
    }


def test_counts_are_exact(api: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST", 1)
    EntryFactory.create_batch(2, failed=True)
    EntryFactory.create(succeeded=True)
    found = ok(api.get("status"))["entries"]
    assert found == dict.fromkeys(EntryStatus, 0) | {"failed": 2, "succeeded": 1}


@pytest.mark.django_db(transaction=True)
def test_what_waits(api: Caller) -> None:
    EntryFactory.create_batch(2, failed=True)
    first = ok(api.post("retry", {"entry_id": EntryFactory.create(failed=True).id}), 202)
    with redis_at(NOWHERE):
        ok(api.post("retry", {"entry_id": EntryFactory.create(failed=True).id}), 202)
    found = ok(api.get("status"))
    assert (found["entries"]["failed"], found["entries"]["queued"]) == (2, 2)
    assert found["queues"] == {"default": 1, "bulk": 0, "sync": 0}
    assert found["undispatched"] == 1
    oldest = Run.objects.get(id=first["run_id"]).created_at
    assert 0 <= found["waits"]["default"] < 60
    assert found["oldest_queued_at"] == oldest.isoformat().replace("+00:00", "Z")


def test_without_redis(api: Caller) -> None:
    with redis_at(NOWHERE):
        found = ok(api.get("status"))
    assert found["redis"] is False
    assert found["queues"] is None
    assert found["workers"] == [], "who is alive does not depend on it"
    assert found["entries"] == dict.fromkeys(EntryStatus, 0)


def test_the_dispatcher(api: Caller) -> None:
    Dispatcher().tick()
    found = ok(api.get("status"))["dispatcher"]
    beat = Heartbeat.objects.get()
    assert found["alive"] is True
    assert (found["host"], found["pid"]) == (beat.host, beat.pid)
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=11))
    assert ok(api.get("status"))["dispatcher"]["alive"] is False


@pytest.mark.django_db(transaction=True)
def test_a_worker(api: Caller) -> None:

    def idle() -> dict[str, Any] | None:
        workers = ok(api.get("status"))["workers"]
        return workers[0] if workers and workers[0]["state"] == "idle" else None

    with manage("worker", "bulk", "--name", "w1"):
        worker = wait_until(idle, timeout=30)
        assert worker is not None
        assert worker.pop("last_heartbeat") is not None
        assert worker.pop("host") == socket.gethostname()
        assert worker.pop("pid") > 1
        assert worker == {
            "name": "w1",
            "queues": ["bulk"],
            "state": "idle",
            "current_job": None,
            "run_id": None,
            "busy_since": None,
        }


def test_needs_a_permission_of_its_own(reader: "User") -> None:
    problem(Caller(reader).get("status"), 403, "permission_denied")
    ok(Caller(grant(reader, "retry.view_status")).get("status"))
