"""The status page, the alarms on every page, and the tiles on the front page."""

import re
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from entries.lists import counts
from retry import queue
from retry.models import Heartbeat, Hold, Operation, Run, Sync, WorkerHeartbeat
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import queued_entries

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

STATUS = "/admin/retry/status/"
Workers = dict[str, WorkerHeartbeat]


def beat(*, seconds_ago: float = 0.0) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(
        name="dispatcher", defaults={"host": "desk-1", "pid": 7, "started_at": at, "beat_at": at}
    )


def worker(queue_name: str, *, seconds_ago: float = 1.0, **values: Any) -> WorkerHeartbeat:
    """One that serves that queue."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    named = {"name": f"worker-{queue_name}", "queue": queue_name}
    fixed = named | {"host": "desk-1", "pid": 4711}
    times = {"started_at": at, "beat_at": at, "state": "idle"}
    return WorkerHeartbeat.objects.create(**(fixed | times | values))


@pytest.fixture
def workers() -> dict[str, WorkerHeartbeat]:
    """Idle workers, one for each queue."""
    return {name: worker(name) for name in ("default", "bulk", "sync")}


def test_it_shows_counts_queues_workers_and_the_dispatcher(
    at_desk: Browser, workers: Workers
) -> None:
    beat()
    EntryFactory.create_batch(3, failed=True)
    queued_entries(2)
    Run.objects.update(dispatches=0)
    words = text_of(at_desk.read(STATUS))
    assert "Everything is running." in words
    assert "3 failed" in words
    assert "2 queued" in words
    assert "Process 7 on desk-1" in words
    assert "worker-bulk" in words
    assert "Waiting for Redis 1 run" in words


def test_it_polls_and_answers_a_poll_with_what_changes(at_desk: Browser) -> None:
    page = at_desk.read(STATUS)
    assert f'hx-get="{STATUS}" hx-trigger="every 3s"' in page
    part = at_desk.get(STATUS, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "Queues" in part


def test_it_needs_its_permission(reader: "User", powerless: "User") -> None:
    assert Browser(reader).get(STATUS).status_code == 403
    only = Browser(grant(powerless, "retry.view_status"))
    assert STATUS in only.read("/admin/"), "the front page leads there"
    assert "tile" not in only.read(STATUS), "counts are for those who may see entries"


def test_without_redis_it_says_so(at_desk: Browser, redis_away: None) -> None:
    words = text_of(at_desk.read(STATUS))
    assert "Redis cannot be reached." in words
    assert "unknown" in words


def alarms(browser: Browser, url: str = ENTRIES) -> list[str]:
    cache.clear()
    return list(browser.get(url).context["alarms"])


def test_alarms_are_on_the_pages_people_work_with(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    for url in ("/admin/", ENTRIES, page_of(entry)):
        page = at_desk.read(url)
        assert "The dispatcher has never reported" in text_of(page)
        assert f'href="{STATUS}"' in page


def test_all_is_quiet_when_all_is_well(at_desk: Browser, workers: Workers) -> None:
    beat()
    assert alarms(at_desk) == []
    assert 'class="alarms"' not in at_desk.read(ENTRIES)


def waited(seconds: float, **values: Any) -> None:
    """Every run has been waiting for so long."""
    at = timezone.now() - timedelta(seconds=seconds)
    Run.objects.update(created_at=at, dispatched_at=at, **values)


def test_a_silent_worker_is_named_and_serves_nothing(at_desk: Browser, workers: Workers) -> None:
    beat()
    worker("default", seconds_ago=20, name="stuck")
    (alarm,) = alarms(at_desk)
    assert re.match(r"The worker stuck of default has not reported for 2\d s\.", alarm)
    assert "process 4711 on desk-1" in alarm
    words = text_of(at_desk.read(STATUS))
    assert "Everything is running." not in words
    assert re.search(r"no report for 2\d s", words)
    workers["default"].delete()
    cache.clear()
    assert "No worker serves default," in text_of(at_desk.read(STATUS))


def test_what_waits_for_busy_workers(at_desk: Browser, workers: Workers) -> None:
    beat()
    queued_entries(2)
    waited(10)
    assert alarms(at_desk) == []
    waited(40)
    since = timezone.now() - timedelta(seconds=70)
    WorkerHeartbeat.objects.filter(queue="default").update(state="busy", busy_since=since)
    (alarm,) = alarms(at_desk)
    assert re.match(r"Work in default has been waiting for 4\d s: its worker has been ", alarm)
    assert re.search(r"busy for 7\d s", alarm)
    assert "manage.py worker default" in alarm
    worker("default", name="second", state="busy")
    assert re.search(r"all its 2 workers are busy, one for 7\d s", alarms(at_desk)[0])
    assert "Everything is running." not in text_of(at_desk.read(STATUS))


def test_what_waits_although_a_worker_is_free(at_desk: Browser, workers: Workers) -> None:
    beat()
    queued_entries(1)
    waited(40)
    (alarm,) = alarms(at_desk)
    assert "although a worker is free" in alarm
    beat(seconds_ago=60)
    assert any(re.search(r"4\d s for the dispatcher", alarm) for alarm in alarms(at_desk))


def test_what_may_not_start_is_not_waited_for(at_desk: Browser, workers: Workers) -> None:
    """On hold, or paused; and once it may, the time counts from there."""
    beat()
    queued_entries(1)
    kind = Run.objects.get().kind
    waited(3600)
    hold = Hold.objects.create(kind=kind, actor_label="alice", reason="down")
    assert not any("waiting" in alarm for alarm in alarms(at_desk))
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now() - timedelta(seconds=5))
    assert alarms(at_desk) == []
    # What a hold has kept waiting goes on within half a minute, so that long it is no wait.
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now() - timedelta(seconds=60))
    assert "has been waiting for 30 s" in alarms(at_desk)[0]
    paused = Operation.objects.create(action="retry", state="paused", actor_label="alice")
    Run.objects.update(operation=paused)
    assert alarms(at_desk) == []
    resumed = timezone.now() - timedelta(seconds=20)
    Operation.objects.update(state="running", resumed_at=resumed)
    assert "has been waiting for 20 s" in alarms(at_desk)[0]


def test_a_sync_that_waits(at_desk: Browser, workers: Workers) -> None:
    beat()
    sync = Sync.objects.create(source=SourceFactory.create(), actor_label="a", channel="command")
    Sync.objects.filter(pk=sync.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    assert "Work in sync has been waiting for 5\xa0minutes" in alarms(at_desk)[0]


def test_a_silent_dispatcher(at_desk: Browser, workers: Workers) -> None:
    beat(seconds_ago=300)
    (alarm,) = alarms(at_desk)
    assert "last reported 5\xa0minutes ago" in alarm
    beat(seconds_ago=20)
    (alarm,) = alarms(at_desk)
    assert "last reported 20 s ago" in alarm


def test_a_queue_without_a_worker(at_desk: Browser, workers: Workers) -> None:
    beat()
    workers["default"].delete()
    (alarm,) = alarms(at_desk)
    assert alarm.startswith("No worker serves default,")
    WorkerHeartbeat.objects.all().delete()
    (alarm,) = alarms(at_desk)
    assert alarm.startswith("No worker serves default, bulk and sync, so")


def test_without_redis_every_page_stands_and_is_quick(at_desk: Browser, redis_away: None) -> None:
    beat()
    entry = EntryFactory.create(failed=True)
    begin = time.monotonic()
    for url in ("/admin/", ENTRIES, page_of(entry)):
        assert "Redis cannot be reached." in text_of(at_desk.read(url))
    assert time.monotonic() - begin < 3


def test_redis_is_asked_once_in_a_few_seconds(
    at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def lengths(names: Sequence[str]) -> dict[str, int]:
        asked.append(names)
        return dict.fromkeys(names, 0)

    monkeypatch.setattr(queue, "count_jobs", lengths)
    for _ in range(3):
        at_desk.read(ENTRIES)
    assert len(asked) == 1


def test_alarms_are_not_for_the_login_page() -> None:
    assert 'class="alarms"' not in Browser().read("/admin/login/")


def test_tiles_count_by_status_and_lead_to_the_list(at_desk: Browser) -> None:
    EntryFactory.create_batch(2, failed=True)
    page = at_desk.read("/admin/")
    assert f'href="{ENTRIES}?status=failed"' in page
    assert "2 failed" in text_of(page)
    assert "0 running" in text_of(page)


def test_a_tile_has_the_exact_count(at_desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST", 1)
    EntryFactory.create_batch(2, failed=True)
    assert "<b>2</b> <span>failed</span>" in at_desk.read("/admin/")


def test_tiles_are_for_those_who_may_see_entries(powerless: "User") -> None:
    EntryFactory.create(failed=True)
    assert "tile" not in Browser(powerless).read("/admin/")


def test_it_says_what_a_worker_is_at(at_desk: Browser, operator: "User") -> None:
    operation = Operation.objects.create(action="retry", selection_words="all", actor_label="x")
    named = {"trigger": "retry", "actor_label": "x", "kind": "page", "size": 2, "queue": "bulk"}
    ended = Run.objects.create(state="finished", worker="desk-1:7", entry_ids=[1], **named)
    lease = timezone.now() + timedelta(seconds=12)
    now = Run.objects.create(
        state="running",
        worker="desk-1:7",
        lease_expires_at=lease,
        entry_ids=[2, 3],
        operation=operation,
        **named,
    )
    EntryFactory.create_batch(2, running=True, run_id=now.pk)
    at = timezone.now()
    worker("bulk", state="busy", run_id=ended.pk, job_id="operation-x", busy_since=at)
    words = text_of(at_desk.read(STATUS))
    assert "page, 2 under way" in words, "the run that it continues with"
    page = Browser(grant(operator, "retry.view_operation")).read(STATUS)
    assert str(operation.pk) in page


def test_it_shows_sizes_and_holds(operator: "User") -> None:
    cache.delete("redrive.sizes")
    Hold.objects.create(kind="page", reason="down", actor_label="anna")
    browser = Browser(grant(operator, "retry.view_hold"))
    words = text_of(browser.read(STATUS))
    assert "PostgreSQL" in words
    assert "MB" in words.partition("Sizes")[2]
    assert "down" in words.partition("Holds")[2]
    assert cache.get("redrive.sizes").database > 1_000_000


def test_without_the_permission_holds_are_not_listed(at_desk: Browser) -> None:
    assert at_desk.get(STATUS).context["holds"] is None


@pytest.mark.usefixtures("redis_away")
def test_without_redis_its_size_is_unknown(at_desk: Browser) -> None:
    cache.delete("redrive.sizes")
    assert at_desk.get(STATUS).context["sizes"].redis is None
