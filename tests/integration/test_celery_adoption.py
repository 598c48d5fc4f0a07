"""Failed tasks of a Celery installation become entries that have failed, and are sent once."""

import io
import pickle
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from entries.foreign_celery import Results, derive_id
from entries.models import Attempt, Entry
from retry.dispatcher.loop import Dispatcher
from retry.models import ErrorGroup, OutcomeCount
from tests.support.celery_desk import adopt
from tests.support.foreign_celery import QUEUE, ForeignCelery
from tests.unit.test_foreign_rq import Bomb

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

pytestmark = pytest.mark.django_db(transaction=True)


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


def ask(results: Results, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement as the results are read."""
    return results._connections.run(
        lambda connected: connected.execute(statement.encode()).fetchall()
    )


def test_their_database_is_only_read(celery_shop: ForeignCelery) -> None:
    results = Results(celery_shop.results)
    try:
        assert ask(results, "SHOW statement_timeout") == [("30s",)]
        for statement in (
            "DELETE FROM django_celery_results_taskresult",
            "CREATE TEMPORARY TABLE x (y int)",
        ):
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                ask(results, statement)
        # A session that was lost is replaced.
        ask(results, "SELECT 1")
        celery_shop.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'shop_reader' AND datname = current_database()"
        )
        assert results.find_failed() == []
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
