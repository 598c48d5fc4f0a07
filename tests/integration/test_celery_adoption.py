"""Failed tasks of a Celery installation become entries that have failed, and are sent once."""

import io
import json
import pickle
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.conf import settings as current
from django.core.management import CommandError, call_command

from entries import transitions
from entries.content import content_hash
from entries.foreign_celery import Results, derive_id, read_arguments
from entries.foreign_celery.results import close_shared
from entries.foreign_celery.sender import _make_app
from entries.kinds.base import AttemptData, EntryData
from entries.kinds.celery_task import CeleryTaskKind, TaskRevoked
from entries.kinds.sent_tasks import begin_sending, note_end, note_sent
from entries.models import Attempt, Entry, SentTask, Source
from entries.repairs import Repair
from entries.states import EntryStatus, SentState
from entries.transitions import Outcome
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, ErrorGroup, OutcomeCount
from retry.operations import control
from retry.service import edit_and_retry, retry_entry, retry_entry_now
from retry.worker import run_worker
from tests.support.asking import SCRIPT
from tests.support.brokers import cut_broker
from tests.support.foreign_celery import QUEUE, ForeignCelery, foreign_celery
from tests.support.operations import FAILED, to_the_end
from tests.unit.test_foreign_rq import Bomb

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def installation(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForeignCelery]:
    _make_app()  # work-horses have it then, and need no second for it
    with foreign_celery(tmp_path_factory.mktemp("shop"), current.REDIS_URL) as shop:
        yield shop


@pytest.fixture
def celery_shop(installation: ForeignCelery, settings: "Settings") -> Iterator[ForeignCelery]:
    settings.REDRIVE_CELERY_HOSTS = installation.places
    settings.REDRIVE_CELERY_DOUBT_SECONDS = 1.0
    installation.empty()
    yield installation
    close_shared()


def adopt(shop: ForeignCelery, *more: str) -> str:
    out = io.StringIO()
    given = ("--results", shop.results, "--broker", shop.broker, *more)
    call_command("adopt", "celery", *given, stdout=out, no_color=True)
    return out.getvalue()


def retry(entry: Entry) -> Entry:
    """Click "Retry", and let a worker of ours do what follows."""
    retry_entry(entry.pk, actor=SCRIPT)
    run_worker("default", burst=True)
    return Entry.objects.get(pk=entry.pk)


def edit(entry: Entry, payload: Mapping[str, Any]) -> Entry:
    """Edit and retry, and let a worker of ours do what follows."""
    entry.refresh_from_db()
    seen = content_hash(entry.title, entry.payload)
    edit_and_retry(entry.pk, seen=seen, payload=payload, actor=SCRIPT)
    run_worker("default", burst=True)
    return Entry.objects.get(pk=entry.pk)


def plant_one(shop: ForeignCelery) -> Entry:
    """A failure with arguments that are known."""
    id_ = str(uuid4())
    shop.plant(id_, task_args="[1]", task_kwargs="{}")
    adopt(shop)
    return Entry.objects.get(external_id=id_)


def test_real_failures_are_adopted_once_grouped_and_counted(
    celery_shop: ForeignCelery, client: "Client", chief: "User"
) -> None:
    ids = celery_shop.fail(3, note="rush")
    waited = celery_shop.waiting
    assert "celery: 3 failed tasks adopted, 0 known before" in adopt(celery_shop)
    entries = list(Entry.objects.order_by("title"))
    assert [entry.title for entry in entries] == [
        f"shop.charge({n},) {{'note': 'rush'}}" for n in range(3)
    ]
    assert [entry.external_id for entry in entries] == ids
    first = entries[0]
    assert (first.status, first.attempt, first.upstream) == ("failed", 1, f"celery:{QUEUE}")
    assert first.payload == {
        "task_id": ids[0],
        "task": "shop.charge",
        "queue": QUEUE,
        "arguments": "text",
        "args_text": "(0,)",
        "kwargs_text": "{'note': 'rush'}",
    }
    assert (first.error_class, first.error_message) == ("CardDeclined", "order 0 was declined")
    tried = Attempt.objects.get(entry=first)
    assert (tried.number, tried.status, tried.previous_status) == (1, "failed", "pending")
    assert "raise CardDeclined" in tried.traceback
    assert tried.worker.startswith("celery@")
    assert tried.started_at is not None
    assert first.failed_at is not None
    assert tried.queued_at <= tried.started_at <= first.failed_at == tried.ended_at

    client.force_login(chief)
    page = client.get(f"/admin/entries/entry/{first.pk}/change/").content.decode()
    assert "CardDeclined" in page
    assert tried.worker in page

    Dispatcher().tick()
    (group,) = ErrorGroup.objects.all()
    assert (group.fingerprint, group.failures) == (first.fingerprint, 3)
    assert "celery: 0 failed tasks adopted, 3 known before, 0 not among" in adopt(celery_shop)
    assert (Entry.objects.count(), Attempt.objects.count()) == (3, 3)
    assert celery_shop.waiting == waited == 0


def test_whatever_is_in_their_table_executes_nothing_and_stops_nothing(
    celery_shop: ForeignCelery, tmp_path: Path
) -> None:
    executed = tmp_path / "executed"
    bomb = b64encode(pickle.dumps(Bomb(executed))).decode()
    pickled = {"content_type": "application/x-python-serialize", "content_encoding": "binary"}
    celery_shop.plant("bomb", task_args=bomb, task_kwargs=bomb, result=bomb, **pickled)
    celery_shop.plant("large", task_args="x" * 2_000_000, traceback="y" * 3_000_000, result="z")
    celery_shop.plant("bare", task_name=None, task_args=None, task_kwargs=None, result=None)
    celery_shop.plant("odd\x1b[31m", task_name="a\u202eb", result="{", task_args='"(\\u0000,"')
    celery_shop.plant("hidden", task_args="\"('token=hunter2',)\"")
    celery_shop.plant("fine", status="SUCCESS")
    celery_shop.plant(derive_id(source="x", external_id="y", entry_id=1, cycle=2))

    said = adopt(celery_shop)
    assert "5 failed tasks adopted" in said
    assert "1 without name and arguments: set result_extended" in said
    known = {entry.external_id: entry for entry in Entry.objects.all()}
    states = {id_: entry.payload["arguments"] for id_, entry in known.items()}
    assert states["bomb"] == "encoded"
    assert (states["large"], states["bare"]) == ("large", "missing")
    assert known["bomb"].error_message == "the error is pickled, and is not read"
    assert "hunter2" not in known["hidden"].title
    assert not executed.exists()
    assert "0 failed tasks adopted, 5 known before" in adopt(celery_shop)

    # It is counted when it happened: what has failed in January causes no alarm tonight.
    Dispatcher().tick()
    counted = OutcomeCount.objects.filter(fingerprint=known["hidden"].fingerprint)
    assert [count.at for count in counted] == [datetime(2026, 1, 2, 3, 4, tzinfo=UTC)]


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


def running(entry: Entry) -> tuple[EntryData, AttemptData]:
    """The entry under way in a worker, as a kind gets it."""
    retry_entry(entry.pk, actor=SCRIPT)
    entry.refresh_from_db()
    assert entry.run_id is not None
    transitions.claim([entry.pk], run_id=entry.run_id, worker="w")
    data = EntryData(
        id=entry.pk,
        kind=entry.kind,
        source="celery",
        external_id=entry.external_id,
        title=entry.title,
        payload=entry.payload,
    )
    attempt = AttemptData(
        number=entry.attempt, run_id=str(entry.run_id), trigger="retry", idempotency_key="k"
    )
    return data, attempt


def begin(
    entry: EntryData, attempt: AttemptData, *, cycle: int | None = None, **more: Any
) -> tuple[str, bool]:
    if cycle is None:
        queued_at = Attempt.objects.get(entry_id=entry.id, number=attempt.number).queued_at
        cycle = round(queued_at.timestamp() * 1_000_000)
    id_ = derive_id(source="celery", external_id=entry.external_id, entry_id=entry.id, cycle=cycle)
    return id_, begin_sending(entry, attempt, task_id=id_, cycle=cycle, **more)


def test_of_all_who_try_for_one_click_one_may_send(celery_shop: ForeignCelery) -> None:
    entry, attempt = running(plant_one(celery_shop))
    first, may = begin(entry, attempt, cycle=10)
    assert may
    assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10, 11)] == [False] * 3
    note_sent(entry, task_id=first)
    assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10, 11)] == [False] * 3
    for state in (SentState.ENDED, SentState.DOUBTFUL):
        note_end(entry, attempt, task_id=first, state=state)
        assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10)] == [False] * 2
    assert begin(entry, attempt, cycle=11)[1]
    # Of the task before that, nothing is noted any more.
    note_sent(entry, task_id=first)
    note_end(entry, attempt, task_id=first, state=SentState.ENDED)
    assert SentTask.objects.get().state == SentState.INTENDED


def test_who_has_lost_the_entry_may_not_send(celery_shop: ForeignCelery) -> None:
    entry, attempt = running(plant_one(celery_shop))
    assert not begin(entry, replace(attempt, run_id=str(uuid4())))[1]
    later = replace(attempt, number=attempt.number + 1)
    assert not begin(entry, later, cycle=10)[1]
    transitions.finish([Outcome(entry.id, EntryStatus.SUCCEEDED)], run_id=UUID(attempt.run_id))
    assert not begin(entry, attempt)[1]
    assert not SentTask.objects.exists()


def test_a_row_of_the_task_says_that_it_was_sent(celery_shop: ForeignCelery) -> None:
    """Also where our database has forgotten it, because a backup was restored."""
    entry, attempt = running(plant_one(celery_shop))
    id_, _ = begin(entry, attempt)
    SentTask.objects.all().delete()
    celery_shop.plant(id_, status="SUCCESS")
    found = CeleryTaskKind().process(entry, attempt)
    assert (found["task_id"], found["sent"]) == (id_, False)
    assert celery_shop.waiting == 0


def test_their_database_is_only_read(celery_shop: ForeignCelery) -> None:
    results = Results(celery_shop.results)
    try:
        statements = [
            "DELETE FROM django_celery_results_taskresult",
            "CREATE TEMPORARY TABLE x (y int)",
        ]
        for statement in statements:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                results._connections.run(lambda connected, s=statement: connected.execute(s))
        limits = results._connections.run(
            lambda connected: connected.execute("SHOW statement_timeout").fetchone()
        )
        assert limits == ("30s",)
    finally:
        results.close()


def test_only_the_installation_that_is_named(
    celery_shop: ForeignCelery, settings: "Settings"
) -> None:
    secret = "postgresql://reader:hunter2@db.example/shop"
    with pytest.raises(CommandError, match=r"db\.example:5432 may not be connected to") as caught:
        call_command("adopt", "celery", "--results", secret)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(CommandError, match="results in mysql are not read"):
        call_command("adopt", "celery", "--results", "mysql://u:hunter2@db.example/shop")
    other = celery_shop.results.replace(f"/{celery_shop.database}", "/postgres")
    with pytest.raises(CommandError, match="has no table of django-celery-results"):
        call_command("adopt", "celery", "--results", other, stdout=io.StringIO())
    celery_shop.query("REVOKE SELECT ON django_celery_results_taskresult FROM shop_reader")
    try:
        with pytest.raises(CommandError, match="the user may not read django_celery_results"):
            adopt(celery_shop, "--source", "refused")
    finally:
        celery_shop.query("GRANT SELECT ON django_celery_results_taskresult TO shop_reader")
    with pytest.raises(CommandError, match="reads something else"):
        adopt(celery_shop)
