"""Entries are counted by status as they change, exactly, whoever changes them."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from entries.lists import count_by_status
from entries.models import EVERYTHING, NOTHING, Entry, Scope, StatusChange, StatusTotal
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from entries.storage import fold_status_changes, recount_statuses, status_totals, upsert_entries
from retry.dispatcher.loop import Dispatcher
from retry.models import Action, AuditEvent
from retry.operations.control import start
from retry.operations.selection import Selection
from retry.service import retry_entries, submit
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.servers import wait_until
from tests.support.threads import run_together

pytestmark = pytest.mark.django_db(transaction=True)
#: Seconds after which a thread has failed and the other need not wait.
_PATIENCE = 20


def count_entries(scope: Scope = EVERYTHING) -> Mapping[str, int]:
    """Count as the product does not: one by one."""
    counts = {status.value: 0 for status in EntryStatus}
    for status in Entry.objects.within(scope).values_list("status", flat=True):
        counts[status] += 1
    return counts


def is_exact() -> bool:
    return count_by_status(EVERYTHING) == count_entries()


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _create(*names: str) -> None:
    Entry.objects.bulk_create([Entry(kind="page", external_id=name) for name in names])


WRITERS: dict[str, Callable[[], object]] = {
    "an upsert of new and known items": lambda: upsert_entries(
        source_id=None, kind="page", items=[SourceItem("a", "New", {}), SourceItem("z", "", {})]
    ),
    "a push": lambda: submit([SourceItem("z", "", {})], kind="page", actor=SCRIPT),
    "a retry": lambda: retry_entries([*Entry.objects.values_list("pk", flat=True)], actor=SCRIPT),
    "an operation": lambda: start(
        Selection(ids=(Entry.objects.order_by("pk")[0].pk,)), action=Action.DISCARD, actor=SCRIPT
    ),
    "a bulk insert": lambda: _create("x", "y"),
    "an insert of one that is there": lambda: _run(
        "INSERT INTO entries_entry (kind, external_id, title, payload, content_hash)"
        " VALUES ('page', 'a', '', '{}', ''), ('page', 'new', '', '{}', '')"
        " ON CONFLICT (source_id, external_id) DO UPDATE SET status = 'succeeded', run_id = NULL"
    ),
    "another source": lambda: Entry.objects.filter(external_id="a").update(
        source=SourceFactory.create()
    ),
    "an update that changes no status": lambda: Entry.objects.update(title="All the same"),
    "a deletion": lambda: _run(
        "DELETE FROM entries_attempt; DELETE FROM entries_entry WHERE external_id = 'a'"
    ),
    "truncating": lambda: _run("TRUNCATE entries_entry CASCADE"),
    "truncating everything": lambda: _run(
        "TRUNCATE entries_entry, entries_statustotal, entries_statuschange CASCADE"
    ),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("folded", [False, True], ids=["appended", "folded"])
def test_every_writer_is_counted(name: str, *, folded: bool) -> None:
    for id_ in "abc":
        EntryFactory.create(failed=True, external_id=id_)
    if folded:
        assert fold_status_changes() == 3
    WRITERS[name]()
    assert is_exact()
    fold_status_changes()
    assert is_exact()
    assert not StatusChange.objects.exists()


def test_what_is_rolled_back_is_not_counted() -> None:
    _create("a")
    with transaction.atomic():
        _create("b")
        transaction.set_rollback(True)
    assert is_exact()


def test_of_an_update_without_a_new_status_nothing_is_written() -> None:
    _create("a", "b")
    StatusChange.objects.all().delete()
    Entry.objects.update(title="New", payload={"a": 1})
    assert not StatusChange.objects.exists()


def test_a_scope_has_its_own_counts() -> None:
    mine, other = SourceFactory.create_batch(2)
    EntryFactory.create_batch(2, failed=True, source=mine)
    EntryFactory.create_batch(3, failed=True, source=other)
    EntryFactory.create(source=None, succeeded=True)
    fold_status_changes()
    EntryFactory.create(source=None)
    for scope in (
        Scope(source_ids=(mine.pk,)),
        Scope(source_ids=(mine.pk,), sourceless=True),
        Scope(source_ids=(mine.pk, other.pk)),
        Scope(sourceless=True),
        NOTHING,
    ):
        assert count_by_status(scope) == count_entries(scope), scope


def test_folding_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_totals, "BATCH", 2)
    for name in "abc":
        _create(name)
    assert [fold_status_changes() for _ in range(3)] == [2, 1, 0]
    assert StatusTotal.objects.get().count == 3


def test_the_dispatcher_folds() -> None:
    _create("a", "b")
    Dispatcher().tick()
    assert not StatusChange.objects.exists()
    assert is_exact()


def test_two_folds_and_a_writer_at_the_same_time() -> None:
    for n in range(50):
        _create(f"before {n}")
    barrier = Barrier(3, timeout=_PATIENCE)

    def fold() -> None:
        barrier.wait()
        while fold_status_changes():
            pass

    def write() -> None:
        barrier.wait()
        for n in range(20):
            _create(f"meanwhile {n}")

    run_together(fold, fold, write)
    assert is_exact()


def test_no_other_waits_for_a_writer_that_has_not_committed() -> None:
    _create("a")
    fold_status_changes()
    barrier = Barrier(2, timeout=_PATIENCE)

    def write() -> None:
        with transaction.atomic():
            _create("b")
            barrier.wait()
            barrier.wait()

    def others() -> None:
        barrier.wait()
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
                _create("c")
                fold_status_changes()
                assert count_by_status(EVERYTHING)["pending"] == 2
        finally:
            barrier.wait()

    run_together(write, others)
    assert is_exact()


class TestRecounting:
    @pytest.mark.parametrize("folded", [False, True], ids=["appended", "folded"])
    def test_sets_right_what_changed_without_triggers(
        self, capsys: pytest.CaptureFixture[str], *, folded: bool
    ) -> None:
        EntryFactory.create_batch(3, failed=True)
        if folded:
            fold_status_changes()
        with transaction.atomic():
            _run("SET LOCAL session_replication_role = replica")
            _run("DELETE FROM entries_entry WHERE id = (SELECT min(id) FROM entries_entry)")
            _create("a", "b")
        assert not is_exact()
        call_command("recount_entries")
        assert is_exact()
        assert capsys.readouterr().out == "The counts were wrong by 3.\n"
        assert AuditEvent.objects.get(verb="recount_entries").count == 3
        call_command("recount_entries")
        assert capsys.readouterr().out == "The counts were right.\n"

    def test_beside_a_writer(self) -> None:
        """What another transaction has written and not committed is counted by its trigger."""
        EntryFactory.create_batch(3, failed=True)
        StatusChange.objects.all().delete()
        barrier = Barrier(2, timeout=_PATIENCE)

        def write() -> None:
            with transaction.atomic():
                _create("a")
                Entry.objects.filter(status="failed").update(source=SourceFactory.create())
                barrier.wait()
                barrier.wait()

        def recount() -> None:
            barrier.wait()
            try:
                assert recount_statuses() == 3, "nothing of what is not committed"
            finally:
                barrier.wait()

        run_together(write, recount)
        assert is_exact()

    def test_two_at_the_same_time_do_not_both_set_it_right(self) -> None:
        EntryFactory.create_batch(3, failed=True)
        StatusChange.objects.all().delete()
        found: list[int] = []
        with ThreadPoolExecutor() as pool:
            with transaction.atomic():
                assert recount_statuses() == 3
                second = pool.submit(run_together, lambda: found.append(recount_statuses()))
                wait_until(lambda: second.done() or _is_waiting())
            second.result()
        assert found == [0]
        assert is_exact()


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND relation = 'entries_statustotal'::regclass)"
        )
        return bool(cursor.fetchone()[0])


def test_counting_reads_no_entry() -> None:
    EntryFactory.create_batch(3, failed=True)
    with transaction.atomic():
        _run("LOCK TABLE entries_entry IN ACCESS EXCLUSIVE MODE")
        found: list[Any] = []
        run_together(lambda: found.append(count_by_status(EVERYTHING)["failed"]))
    assert found == [3]
