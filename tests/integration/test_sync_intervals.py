"""Sources that are synced by an interval."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from entries.models import Source
from retry.dispatcher.loop import Dispatcher
from retry.models import AuditEvent, Hold, Sync
from retry.syncs.control import request_sync
from tests.support.asking import SCRIPT
from tests.support.http import LocalServer
from tests.support.syncing import numbered, work_off

pytestmark = pytest.mark.django_db(transaction=True)


def every(seconds: int | None, **fields: object) -> Source:
    source = numbered(1)
    Source.objects.filter(pk=source.pk).update(sync_interval=seconds, **fields)
    source.refresh_from_db()
    return source


def test_the_dispatcher_asks_when_it_is_time_and_not_before() -> None:
    source = every(60)
    assert Dispatcher().tick().syncs == 1
    sync = Sync.objects.get()
    assert (sync.actor_label, sync.channel) == ("dispatcher", "system")
    assert sync.reason == "every 60 s"
    assert AuditEvent.objects.get(verb="request_sync").actor_label == "dispatcher"
    source.refresh_from_db()
    assert source.next_sync_at is not None
    left = source.next_sync_at - timezone.now()
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)
    work_off()
    assert Dispatcher().tick().syncs == 0
    Source.objects.update(next_sync_at=timezone.now() - timedelta(seconds=1))
    assert Dispatcher().tick().syncs == 1
    assert Sync.objects.count() == 2


def test_one_that_is_still_under_way_is_not_joined_by_another() -> None:
    every(60)
    Dispatcher().tick()
    Source.objects.update(next_sync_at=None)
    Dispatcher().tick()
    assert Sync.objects.count() == 1
    assert Source.objects.get().next_sync_at is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"sync_interval": None},
        {"enabled": False},
        {"next_sync_at": timezone.now() + timedelta(hours=1)},
    ],
)
def test_which_are_left_alone(fields: dict[str, object]) -> None:
    every(60)
    Source.objects.update(**fields)
    assert Dispatcher().tick().syncs == 0
    assert not Sync.objects.exists()


@pytest.mark.parametrize("of", ["source", "kind"])
def test_a_hold_is_respected_until_it_is_lifted(of: str) -> None:
    source = every(60)
    hold = Hold.objects.create(
        actor_label="x", **({"source": source} if of == "source" else {"kind": "scripted"})
    )
    Hold.objects.create(actor_label="x", kind="page")
    assert Dispatcher().tick().syncs == 0
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now())
    assert Dispatcher().tick().syncs == 1


@pytest.mark.parametrize(
    ("status", "after", "seconds"),
    [
        (429, "600", 600),
        (503, "600", 600),
        (503, "1000000", 3600),
        (429, "Thu, 01 Jan 2099 00:00:00 GMT", 3600),
        (429, "0", 10),
        (429, "soon", 10),
        (404, "600", 10),
    ],
)
def test_a_source_that_asks_to_be_left_alone_is(
    settings: Any, status: int, after: str, seconds: int
) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
    with LocalServer() as server:
        url = server.answer("/", status=status, headers={"Retry-After": after})
        Source.objects.create(slug="news", kind="feed", location=url, sync_interval=10)
        assert Dispatcher().tick().syncs == 1
        work_off()
        assert Sync.objects.get().state == "failed"
        due = Source.objects.get().next_sync_at
        assert due is not None
        assert seconds - 10 < (due - timezone.now()).total_seconds() <= seconds
        assert Dispatcher().tick().syncs == 0
        request_sync("news", actor=SCRIPT)
        work_off()
        assert len(server.received) == 2, "somebody asked"


def test_another_interval_begins_at_once() -> None:
    source = every(86_400, next_sync_at=timezone.now() + timedelta(days=1))
    source.name = "Renamed"
    source.save()
    source.refresh_from_db()
    assert source.next_sync_at is not None, "nothing about when has changed"
    source.sync_interval = 30
    source.save(update_fields=["sync_interval"])
    assert Source.objects.get().next_sync_at is None
    assert Dispatcher().tick().syncs == 1
