"""A failed task of a Celery installation is sent again, and followed to its end."""

import json
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.conf import settings as current

from entries.foreign_celery import read_arguments
from entries.kinds.celery_task import CeleryTaskKind, TaskRevoked
from entries.kinds.sent_tasks import note_sent
from entries.models import Attempt, Entry, SentTask, Source
from entries.repairs import Repair
from entries.states import SentState
from retry.models import Action
from retry.operations import control
from retry.service import retry_entry_now
from retry.worker import run_worker
from tests.support.asking import SCRIPT
from tests.support.brokers import cut_broker
from tests.support.celery_desk import adopt, begin, edit, plant_one, retry, running
from tests.support.foreign_celery import QUEUE, ForeignCelery
from tests.support.operations import FAILED, to_the_end

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_retry_runs_on_its_own_workers_and_records_what_came_of_it(
    celery_shop: ForeignCelery,
) -> None:
    (id_,) = celery_shop.fail(1)
    adopt(celery_shop)
    adopted = Entry.objects.get()
    refused = retry(adopted)
    assert (refused.status, refused.error_class) == ("failed", "TaskNotSendable")
    assert Attempt.objects.get(number=2).result == {"refused": "arguments_text"}
    assert celery_shop.waiting == 0

    with celery_shop.worker():
        failed = edit(refused, read_arguments(refused.payload))
        assert (failed.status, failed.attempt) == ("failed", 3)
        assert (failed.error_class, failed.fingerprint) == ("CardDeclined", adopted.fingerprint)
        third = Attempt.objects.get(entry=failed, number=3)
        assert "raise CardDeclined" in third.traceback
        result: Any = third.result
        assert (result["sent"], result["status"]) == (True, "FAILURE")
        assert UUID(result["task_id"]).version == 8
        # What Redrive has sent is no failure to be adopted.
        assert celery_shop.find("FAILURE") == {id_, result["task_id"]}
        # What a person has made of the payload stays when failures are adopted again.
        assert "0 failed tasks adopted, 1 known before, 0 not among" in adopt(celery_shop)
        failed.refresh_from_db()
        assert failed.payload["args"] == [0]
        celery_shop.repair()
        done = retry(failed)
    assert (done.status, done.attempt) == ("succeeded", 4)
    assert itemgetter("status", "sent", "queue")(done.result or {}) == ("SUCCESS", True, QUEUE)
    assert (done.result or {})["worker"].startswith("celery@")
    assert celery_shop.ledger == {0: 1}


def test_a_group_is_repaired_and_retried_in_one_operation(celery_shop: ForeignCelery) -> None:
    celery_shop.fail(3)
    celery_shop.plant("cut", task_args='"(1, ...)"')
    adopt(celery_shop)
    celery_shop.repair()
    with celery_shop.worker():
        operation = control.start(
            FAILED, action=Action.REPAIR, actor=SCRIPT, repair=Repair(name="read_arguments")
        )
        to_the_end(operation)
    assert celery_shop.ledger == dict.fromkeys(range(3), 1)
    assert Entry.objects.filter(status="succeeded").count() == 3
    assert Entry.objects.get(external_id="cut").status == "failed"


def test_nothing_but_the_message_is_written(
    celery_shop: ForeignCelery, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = plant_one(celery_shop)
    before = celery_shop.query("SELECT * FROM django_celery_results_taskresult")
    monkeypatch.setattr(CeleryTaskKind, "time_limit", 3.0)
    assert retry(entry).error_class == "StillWaiting"
    assert celery_shop.redis.keys() == [QUEUE.encode()]
    message: Any = celery_shop.redis.lindex(QUEUE, 0)
    found = json.loads(message)
    assert (celery_shop.waiting, found["content-type"]) == (1, "application/json")
    assert (found["headers"]["task"], found["headers"]["retries"]) == ("shop.charge", 0)
    assert celery_shop.query("SELECT * FROM django_celery_results_taskresult") == before


def test_what_waits_too_long_is_followed_by_the_next_click(
    celery_shop: ForeignCelery, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = plant_one(celery_shop)
    monkeypatch.setattr(CeleryTaskKind, "time_limit", 3.0)
    waiting = retry(entry)
    assert (waiting.status, waiting.error_class) == ("failed", "StillWaiting")
    assert retry(waiting).error_class == "StillWaiting"
    assert celery_shop.waiting == 1
    celery_shop.repair()
    monkeypatch.setattr(CeleryTaskKind, "time_limit", 60.0)
    with celery_shop.worker():
        done = retry(waiting)
    assert (done.status, (done.result or {})["sent"]) == ("succeeded", False)
    assert celery_shop.ledger == {1: 1}


def test_what_a_person_says_is_lost_is_sent_again(
    celery_shop: ForeignCelery, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = plant_one(celery_shop)
    monkeypatch.setattr(CeleryTaskKind, "time_limit", 3.0)
    waiting = retry(entry)
    celery_shop.redis.delete(QUEUE)
    assert retry(waiting).error_class == "StillWaiting"
    assert celery_shop.waiting == 0
    then = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    edit(waiting, {**waiting.payload, "lost_before": then})
    assert celery_shop.waiting == 1
    assert SentTask.objects.get().state == SentState.SENT


def test_a_message_that_may_have_been_sent_is_not_sent_again_by_itself(
    celery_shop: ForeignCelery, settings: "Settings"
) -> None:
    entry = plant_one(celery_shop)
    settings.REDRIVE_CELERY_HOSTS = [*celery_shop.places, "127.0.0.1"]
    with cut_broker(current.REDIS_URL, delivers=False) as broker:
        Source.objects.update(
            options={"broker": broker.url(celery_shop.redis_number), "queue": QUEUE}
        )
        doubtful = retry(entry)
        assert broker.pushes == 1
    assert (doubtful.status, doubtful.error_class) == ("failed", "MaybeSentTask")
    sent = SentTask.objects.get()
    assert sent.state == SentState.DOUBTFUL
    assert sent.task_id in doubtful.error_message
    # A person decides, and only then another one is sent.
    Source.objects.update(options={"broker": celery_shop.broker, "queue": QUEUE})
    celery_shop.repair()
    with celery_shop.worker():
        done = retry(doubtful)
    assert done.status == "succeeded"
    assert (done.result or {})["task_id"] != sent.task_id
    assert celery_shop.ledger == {1: 1}


def test_a_message_whose_answer_was_lost_is_found_by_its_result(
    celery_shop: ForeignCelery, settings: "Settings"
) -> None:
    entry = plant_one(celery_shop)
    celery_shop.repair()
    settings.REDRIVE_CELERY_DOUBT_SECONDS = 60.0
    settings.REDRIVE_CELERY_HOSTS = [*celery_shop.places, "127.0.0.1"]
    with cut_broker(current.REDIS_URL, delivers=True) as broker, celery_shop.worker():
        Source.objects.update(
            options={"broker": broker.url(celery_shop.redis_number), "queue": QUEUE}
        )
        done = retry(entry)
        assert broker.pushes == 1
    assert (done.status, (done.result or {})["sent"]) == ("succeeded", False)
    assert celery_shop.ledger == {1: 1}


def test_a_broker_that_is_away_costs_nothing(
    celery_shop: ForeignCelery, settings: "Settings"
) -> None:
    entry = plant_one(celery_shop)
    settings.REDRIVE_CELERY_HOSTS = [*celery_shop.places, "127.0.0.1"]
    Source.objects.update(options={"broker": "redis://:hunter2@127.0.0.1:1/0", "queue": QUEUE})
    waiting = retry(entry)
    assert (waiting.status, waiting.error_class) == ("scheduled", "BrokerAway")
    assert "127.0.0.1:1 did not answer" in waiting.error_message
    assert not SentTask.objects.exists()
    Source.objects.update(options={"queue": QUEUE})
    retry_entry_now(waiting.pk, actor=SCRIPT)
    run_worker("default", burst=True)
    refused = Entry.objects.get()
    assert (refused.status, refused.error_class) == ("failed", "TaskNotSendable")


def test_a_message_that_the_broker_refuses_was_not_sent(celery_shop: ForeignCelery) -> None:
    entry = plant_one(celery_shop)
    celery_shop.redis.set(QUEUE, "no list")
    waiting = retry(entry)
    assert (waiting.status, waiting.error_class) == ("scheduled", "BrokerAway")
    assert "refused: ResponseError" in waiting.error_message
    assert SentTask.objects.get().state == SentState.ENDED
    celery_shop.redis.delete(QUEUE)
    celery_shop.repair()
    retry_entry_now(waiting.pk, actor=SCRIPT)
    with celery_shop.worker():
        run_worker("default", burst=True)
    assert Entry.objects.get().status == "succeeded"
    assert celery_shop.ledger == {1: 1}


def test_what_is_revoked_there_has_failed_here(celery_shop: ForeignCelery) -> None:
    entry = plant_one(celery_shop)
    revoke = "UPDATE django_celery_results_taskresult SET status = 'REVOKED' WHERE task_id = %s"
    data, attempt = running(entry)
    id_, cycle = begin(data, attempt)
    assert cycle
    note_sent(data, task_id=id_)
    celery_shop.plant(id_)
    celery_shop.query(revoke, id_)
    with pytest.raises(TaskRevoked, match="the task was revoked there"):
        CeleryTaskKind().process(data, attempt)
    assert SentTask.objects.get().state == SentState.ENDED
