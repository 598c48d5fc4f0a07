"""A failed task of a Celery installation is sent again by way of a real RabbitMQ."""

import json
from collections.abc import Iterator
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.conf import settings as current

from entries.foreign_celery import Message, connect, read_arguments
from entries.foreign_celery.results import forget_results
from entries.kinds.celery_task import CeleryTaskKind
from entries.models import Entry, SentTask, Source
from entries.states import SentState
from retry.service import retry_entry_now
from retry.worker import run_worker
from tests.support.asking import SCRIPT
from tests.support.brokers import cut_rabbit
from tests.support.celery_desk import adopt, edit, plant_one, retry
from tests.support.foreign_celery import QUEUE, foreign_celery
from tests.support.rabbit import RabbitCelery, RabbitServer, needs_rabbit
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

pytestmark = [pytest.mark.django_db(transaction=True), *needs_rabbit()]


@pytest.fixture(scope="module")
def installation(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory, rabbit: RabbitServer
) -> Iterator[RabbitCelery]:
    build = partial(RabbitCelery, rabbit=rabbit)
    folder = tmp_path_factory.mktemp("shop")
    with foreign_celery(folder, current.REDIS_URL, suffix="rabbit", build=build) as shop:
        assert isinstance(shop, RabbitCelery)
        yield shop


@pytest.fixture
def shop(installation: RabbitCelery, settings: "Settings") -> Iterator[RabbitCelery]:
    settings.REDRIVE_CELERY_HOSTS = [*installation.places, "localhost"]
    settings.REDRIVE_CELERY_DOUBT_SECONDS = 1.0
    installation.empty()
    yield installation
    forget_results()


def point_to(broker: str, *, queue: str = QUEUE) -> None:
    Source.objects.update(options={"broker": broker, "queue": queue})


def test_a_retry_runs_on_its_own_workers_and_records_what_came_of_it(shop: RabbitCelery) -> None:
    shop.fail(1)
    adopt(shop)
    entry = Entry.objects.get()
    with shop.worker():
        failed = edit(entry, read_arguments(entry.payload))
        assert (failed.status, failed.error_class) == ("failed", "CardDeclined")
        shop.repair()
        done = retry(failed)
    assert done.status == "succeeded"
    assert itemgetter("status", "sent", "queue")(done.result or {}) == ("SUCCESS", True, QUEUE)
    assert shop.ledger == {0: 1}


def test_nothing_but_the_message_is_written(
    shop: RabbitCelery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a user who may do nothing else."""
    monkeypatch.setattr(CeleryTaskKind, "time_limit", 3.0)
    assert retry(plant_one(shop)).error_class == "StillWaiting"
    assert shop.waiting == 1
    message: Any = shop.rabbit.take(QUEUE)
    assert message.properties["delivery_mode"] == 2
    assert message.properties["content_type"] == "application/json"
    assert json.loads(message.body)[:2] == [[1], {}]
    headers = message.properties["application_headers"]
    assert (headers["task"], headers["retries"]) == ("shop.charge", 0)
    assert headers["id"] == SentTask.objects.get().task_id


def test_a_queue_that_is_not_there_is_no_silent_loss(shop: RabbitCelery) -> None:
    entry = plant_one(shop)
    Entry.objects.update(payload={**entry.payload, "queue": "later"})
    point_to(shop.broker, queue="later")
    refused = retry(entry)
    assert (refused.status, refused.error_class) == ("failed", "BrokerRefused")
    assert "has no queue 'later'" in refused.error_message
    assert SentTask.objects.get().state == SentState.ENDED
    # Nothing is declared for it, and nothing of it comes later.
    shop.rabbit.declare("later")
    try:
        shop.repair()
        with shop.worker("-Q", "later"):
            assert retry(refused).status == "succeeded"
    finally:
        shop.rabbit.delete("later")
    assert shop.ledger == {1: 1}


def test_a_replicated_queue_confirms_as_well(shop: RabbitCelery) -> None:
    shop.rabbit.declare("replicated", **{"x-queue-type": "quorum"})
    try:
        with connect(shop.broker) as send:
            send(Message(str(uuid4()), "shop.charge", "replicated", [1], {}))
        wait_until(lambda: shop.rabbit.count("replicated") == 1)
    finally:
        shop.rabbit.delete("replicated")


def test_a_message_that_the_queue_refuses_was_not_sent(shop: RabbitCelery) -> None:
    entry = plant_one(shop)
    Entry.objects.update(payload={**entry.payload, "queue": "full"})
    point_to(shop.broker, queue="full")
    shop.rabbit.declare("full", **{"x-max-length": 0, "x-overflow": "reject-publish"})
    try:
        refused = retry(entry)
        assert shop.rabbit.count("full") == 0
    finally:
        shop.rabbit.delete("full")
    assert (refused.status, refused.error_class) == ("failed", "BrokerRefused")
    assert "the queue 'full' is full" in refused.error_message
    assert SentTask.objects.get().state == SentState.ENDED


@pytest.mark.parametrize(
    ("user", "more", "status", "says"),
    [
        ("reader", {}, "failed", "may not write to the exchange amq.default"),
        ("sender", {"password": "hunter2"}, "scheduled", "refused the connection: AccessRefused"),
        ("sender", {"vhost": "other"}, "scheduled", "refused the connection: NotAllowed"),
    ],
)
def test_who_may_not_send_is_told_so_before_anything_is_noted(
    shop: RabbitCelery, user: str, more: dict[str, str], status: str, says: str
) -> None:
    entry = plant_one(shop)
    point_to(shop.rabbit.url(user, **more))
    refused = retry(entry)
    assert (refused.status, says in refused.error_message) == (status, True)
    assert user not in refused.error_message
    assert "hunter2" not in refused.error_message
    assert not SentTask.objects.exists()
    assert shop.waiting == 0


def test_a_broker_short_of_memory_gets_nothing_that_it_would_take_later(
    shop: RabbitCelery,
) -> None:
    entry = plant_one(shop)
    shop.rabbit.control("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        waiting = retry(entry)
        assert (waiting.status, waiting.error_class) == ("scheduled", "BrokerAway")
        assert "short of memory or disk space" in waiting.error_message
        assert not SentTask.objects.exists()
    finally:
        shop.rabbit.control("set_vm_memory_high_watermark", "0.4")
    shop.repair()
    with shop.worker():
        retry_entry_now(waiting.pk, actor=SCRIPT)
        run_worker("default", burst=True)
    assert Entry.objects.get().status == "succeeded"
    # Not what was begun when the broker took nothing.
    assert shop.ledger == {1: 1}


def test_a_message_that_may_have_been_sent_is_not_sent_again_by_itself(shop: RabbitCelery) -> None:
    entry = plant_one(shop)
    with cut_rabbit(shop.rabbit.port, delivers=False) as broker:
        point_to(shop.rabbit.url("sender").replace(str(shop.rabbit.port), str(broker.port)))
        doubtful = retry(entry)
        assert broker.pushes == 1
    assert (doubtful.status, doubtful.error_class) == ("failed", "MaybeSentTask")
    assert SentTask.objects.get().state == SentState.DOUBTFUL
    assert shop.waiting == 0


def test_a_message_whose_answer_was_lost_is_found_by_its_result(
    shop: RabbitCelery, settings: "Settings"
) -> None:
    entry = plant_one(shop)
    shop.repair()
    settings.REDRIVE_CELERY_DOUBT_SECONDS = 60.0
    with cut_rabbit(shop.rabbit.port, delivers=True) as broker, shop.worker():
        point_to(shop.rabbit.url("sender").replace(str(shop.rabbit.port), str(broker.port)))
        done = retry(entry)
        assert broker.pushes == 1
    assert (done.status, (done.result or {})["sent"]) == ("succeeded", False)
    assert shop.ledger == {1: 1}


def test_with_tls_the_name_of_the_broker_is_verified(
    shop: RabbitCelery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(shop.rabbit.certificate))
    entry = plant_one(shop)
    url = f"amqps://sender:secret@%s:{shop.rabbit.tls_port}/shop"
    point_to(url % "127.0.0.1")
    waiting = retry(entry)
    assert (waiting.status, waiting.error_class) == ("scheduled", "BrokerAway")
    assert "did not answer: SSLCertVerificationError" in waiting.error_message
    assert not SentTask.objects.exists()
    point_to(url % "localhost")
    shop.repair()
    retry_entry_now(waiting.pk, actor=SCRIPT)
    with shop.worker():
        run_worker("default", burst=True)
    assert Entry.objects.get().status == "succeeded"
    assert shop.ledger == {1: 1}
