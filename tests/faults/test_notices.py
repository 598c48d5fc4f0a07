"""Dispatchers and workers are killed while notices are sent: each is sent for each subscription."""

from functools import partial
from pathlib import Path

import pytest
from django.db.models.functions import Now

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import Notice, NoticeDelivery
from tests.support import notices
from tests.support.processes import dispatching, listening_worker, redis_at
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 60


def add_notices(count: int = COUNT) -> None:
    Notice.objects.bulk_create(
        Notice(event="group_new", key=str(number), subject=f"New error {number}")
        for number in range(count)
    )
    Notice.objects.update(tell_at=Now(), recorded_at=Now())


def count_told() -> int:
    return Notice.objects.exclude(told_at=None).count()


def has_told_more(before: int) -> bool:
    return count_told() > before or count_told() == COUNT


def test_killed_dispatchers_lose_no_notice_and_send_none_twice() -> None:
    for number in range(2):
        notices.subscribe_to("group_new", address=f"person{number}@example.com")
    changes = {"REDRIVE_NOTICES_AN_HOUR": "1000", "REDRIVE_TICK_SECONDS": "0.05"}
    add_notices()
    for _ in range(3):
        before = count_told()
        with dispatching(**changes) as dispatcher:
            wait_until(partial(has_told_more, before), timeout=30)
            dispatcher.kill()
    with dispatching(**changes):
        wait_until(lambda: count_told() == COUNT, timeout=60)
    assert NoticeDelivery.objects.filter(withheld="").count() == 2 * COUNT
    assert Entry.objects.filter(kind="mail").count() == 2 * COUNT
    titles = Entry.objects.filter(kind="mail").values_list("external_id", flat=True)
    assert len(set(titles)) == 2 * COUNT


def test_without_redis_a_notice_waits_and_is_sent_once(tmp_path: Path) -> None:
    notices.subscribe_to("group_new")
    add_notices(1)
    with redis_at("unix:///nowhere/redis.sock"):
        Dispatcher().tick()
    assert count_told() == 1
    changes = {"EMAIL_URL": f"file:///{tmp_path}"}
    with dispatching(), listening_worker("default", **changes):
        wait_until(lambda: list(tmp_path.glob("*.log")), timeout=60)
        wait_until(lambda: Entry.objects.get().status == "succeeded", timeout=20)
    [mail] = tmp_path.glob("*.log")
    assert mail.read_text().count("Subject: [Redrive] New error 0") == 1
