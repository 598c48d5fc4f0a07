"""Syncs whose worker is killed or stopped in the middle, and whose Redis goes away."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from entries.models import Entry, Source
from retry.intakes.lock import try_lock
from retry.models import AuditEvent, Sync
from retry.syncs import control
from tests.support.asking import SCRIPT
from tests.support.processes import listening_worker, manage, redis_at
from tests.support.servers import Spawned, private_redis, wait_until
from tests.support.syncing import counts, gone_ids, now_has, numbered, synced

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker() -> Iterator[Spawned]:
    with listening_worker("sync") as process:
        yield process


@pytest.fixture
def halfway(tmp_path: Path) -> Source:
    """It had 2,500 items before; now it lacks the first, and stops before number 2,300."""
    source = numbered(2_500)
    synced(source)
    Entry.objects.filter(external_id__gt="item-5").delete()
    ledger, gate = tmp_path / "ledger", tmp_path / "gate"
    now_has(
        source,
        **{"from": 2, "to": 2_500, "wait_at": 2_300, "ledger": str(ledger), "wait_for": str(gate)},
    )
    return source


def state_of(sync: Sync) -> str:
    sync.refresh_from_db()
    return sync.state


def horse_of(worker: Spawned) -> int:
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    return int(children[0])


def ask(source: Source) -> Sync:
    return control.request_sync(source.slug, actor=SCRIPT)


def test_a_killed_worker_leaves_a_failed_sync_nothing_gone_and_no_lock(
    dispatcher: Spawned, worker: Spawned, halfway: Source, tmp_path: Path
) -> None:
    sync = ask(halfway)
    wait_until((tmp_path / "ledger").exists, timeout=20)
    assert state_of(sync) == "running"
    assert sync.created + sync.unchanged == 2_000, "two batches, for those who watch"
    os.kill(horse_of(worker), signal.SIGKILL)
    wait_until(lambda: state_of(sync) == "failed", timeout=20)
    assert sync.error_code == "worker_lost"
    assert gone_ids() == []
    assert AuditEvent.objects.filter(verb="sync_lost").count() == 1
    with try_lock(Sync(source=halfway)) as free:
        assert free
    (tmp_path / "gate").touch()
    again = ask(halfway)
    wait_until(lambda: state_of(again) == "succeeded", timeout=30)
    assert again.unchanged >= 2_000
    assert sum(counts(again)[:3]) == 2_499
    assert gone_ids() == ["item-1"]
    pending = Entry.objects.filter(status="pending").exclude(external_id="item-1")
    assert Entry.objects.count() == 2_500
    assert pending.count() <= 2_000 - again.queued, "left over ones are queued, too"


def test_a_worker_and_its_horse_killed_together_are_noticed_as_well(
    dispatcher: Spawned, worker: Spawned, halfway: Source, tmp_path: Path
) -> None:
    sync = ask(halfway)
    wait_until((tmp_path / "ledger").exists, timeout=20)
    worker.kill()
    wait_until(lambda: state_of(sync) == "failed", timeout=20)
    assert sync.error_code == "worker_lost"


def test_a_worker_asked_to_stop_gives_its_sync_back(
    dispatcher: Spawned, worker: Spawned, halfway: Source, tmp_path: Path
) -> None:
    sync = ask(halfway)
    wait_until((tmp_path / "ledger").exists, timeout=20)
    worker.send(signal.SIGTERM)
    worker.wait_for_output("warm shut down requested")
    (tmp_path / "gate").touch()
    assert worker.wait() == 0
    assert state_of(sync) == "queued"
    with manage("worker", "sync"):
        wait_until(lambda: state_of(sync) == "succeeded", timeout=30)
    assert sum(counts(sync)[:3]) == 2_499
    assert gone_ids() == ["item-1"]


def test_redis_that_is_down_delays_a_sync_and_nothing_else() -> None:
    source = numbered(10)
    with private_redis() as redis, redis_at(redis.url):
        changes = {"REDIS_URL": redis.url}
        with manage("dispatcher", **changes), manage("worker", "sync", **changes) as worker:
            worker.wait_for_output("Listening on")
            redis.kill()
            sync = ask(source)
            assert not sync.dispatched
            redis.start()
            wait_until(lambda: state_of(sync) == "succeeded", timeout=20)
    assert counts(sync) == (10, 0, 0, 0, 0)
