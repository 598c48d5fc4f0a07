"""A silent dispatcher is noticed by workers, and told once, without it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from retry.models import Heartbeat, Notice
from retry.notices.silence import SilenceWatch
from tests.support import notices
from tests.support.freezing import frozen
from tests.support.processes import listening_worker, manage
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _short(settings: "Settings") -> None:
    settings.REDRIVE_DISPATCHER_SILENT_SECONDS = 0.2


@pytest.fixture
def beat() -> Heartbeat:
    return Heartbeat.objects.create(
        name=Heartbeat.DISPATCHER, host="here", pid=1, started_at=timezone.now(), beat_at=Now()
    )


def look(watch: SilenceWatch, *, seconds: float = 0.6) -> None:
    end = time.monotonic() + seconds

    def is_over() -> bool:
        watch.look()
        return time.monotonic() > end

    wait_until(is_over, timeout=5)


def test_it_is_told_once_by_however_many_workers(beat: Heartbeat) -> None:
    notices.subscribe_to()
    first, second = SilenceWatch(), SilenceWatch()
    look(first)
    look(second)
    look(first)
    notices.deliver()
    [subject] = notices.list_subjects()
    assert subject.startswith("The dispatcher has been silent since ")
    assert Notice.objects.get().told_at is not None


def test_one_that_beats_is_not_silent(beat: Heartbeat, settings: "Settings") -> None:
    settings.REDRIVE_DISPATCHER_SILENT_SECONDS = 4.0
    notices.subscribe_to()
    watch = SilenceWatch()
    for _ in range(5):
        Heartbeat.objects.update(beat_at=Now())
        look(watch, seconds=1.1)
    assert not Notice.objects.exists()


def test_a_pause_of_the_worker_is_no_silence_of_the_dispatcher(
    beat: Heartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices.subscribe_to()
    watch = SilenceWatch()
    watch.look()
    moment = time.monotonic() + 3600
    monkeypatch.setattr("retry.notices.silence.time.monotonic", lambda: moment)
    watch.look()
    assert not Notice.objects.exists()


def test_where_none_ever_ran_and_when_it_is_off_there_is_nothing_to_tell(
    settings: "Settings",
) -> None:
    notices.subscribe_to()
    look(SilenceWatch(), seconds=0.3)
    settings.REDRIVE_DISPATCHER_SILENT_SECONDS = 0
    Heartbeat.objects.create(
        name=Heartbeat.DISPATCHER, host="here", pid=1, started_at=timezone.now(), beat_at=Now()
    )
    look(SilenceWatch(), seconds=0.3)
    assert not Notice.objects.exists()


def test_it_leaves_no_connection_open_for_the_work_horse(beat: Heartbeat) -> None:
    SilenceWatch().look()
    assert connection.connection is None


def test_a_worker_sends_the_mail_while_the_dispatcher_is_stopped(tmp_path: Path) -> None:
    notices.subscribe_to()
    changes = {
        "EMAIL_URL": f"file:///{tmp_path}",
        "REDRIVE_DISPATCHER_SILENT_SECONDS": "8",
        "REDRIVE_BEAT_SECONDS": "0.2",
    }
    with manage("dispatcher", **changes) as dispatcher, listening_worker("default", **changes):
        wait_until(Heartbeat.objects.exists, timeout=20)
        with frozen(dispatcher.pid):
            wait_until(lambda: _read_mails(tmp_path), timeout=60)
        [found] = _read_mails(tmp_path)
        assert "The dispatcher has been silent since" in found
    assert mail.outbox == []


def _read_mails(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.glob("*.log")]
