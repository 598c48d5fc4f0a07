"""The status page, the alarms on every page, and the tiles on the front page."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone

from retry import queue
from retry.models import Heartbeat, Run
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import queued_entries

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

STATUS = "/admin/retry/status/"


def beat(*, seconds_ago: float = 0.0) -> None:
    at = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.update_or_create(
        name="dispatcher", defaults={"host": "desk-1", "pid": 7, "started_at": at, "beat_at": at}
    )


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[queue.WorkerView]:
    """Idle workers, one for each queue."""
    found = [
        queue.WorkerView(f"worker-{name}", (name,), "idle", None, 4711, None)
        for name in ("default", "bulk", "sync")
    ]
    monkeypatch.setattr(queue, "workers", lambda: found)
    return found


def test_it_shows_counts_queues_workers_and_the_dispatcher(
    at_desk: Browser, workers: list[queue.WorkerView]
) -> None:
    beat()
    EntryFactory.create_batch(3, failed=True)
    queued_entries(2)
    Run.objects.update(dispatches=0)
    words = text_of(at_desk.read(STATUS))
    assert "Everything is at work." in words
    assert "3 failed" in words
    assert "2 queued" in words
    assert "desk-1, process 7" in words
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
        assert "The dispatcher has never been heard of" in text_of(page)
        assert f'href="{STATUS}"' in page


def test_all_is_quiet_when_all_is_well(at_desk: Browser, workers: list[queue.WorkerView]) -> None:
    beat()
    assert alarms(at_desk) == []
    assert 'class="alarms"' not in at_desk.read(ENTRIES)


def test_a_silent_dispatcher(at_desk: Browser, workers: list[queue.WorkerView]) -> None:
    beat(seconds_ago=300)
    (alarm,) = alarms(at_desk)
    assert "was last heard of 5\xa0minutes ago" in alarm


def test_a_queue_without_a_worker(at_desk: Browser, workers: list[queue.WorkerView]) -> None:
    beat()
    del workers[0]
    (alarm,) = alarms(at_desk)
    assert alarm.startswith("No worker serves default:")
    workers.clear()
    (alarm,) = alarms(at_desk)
    assert alarm.startswith("No worker serves default, bulk and sync:")


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

    monkeypatch.setattr(queue, "lengths", lengths)
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


def test_tiles_are_for_those_who_may_see_entries(powerless: "User") -> None:
    EntryFactory.create(failed=True)
    assert "tile" not in Browser(powerless).read("/admin/")
