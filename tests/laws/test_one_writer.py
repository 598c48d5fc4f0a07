"""``Entry.status`` is written in ``entries.transitions`` and nowhere else."""

import ast
from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import F

from entries.models import FENCED_FIELDS, Entry, Source
from tests.factories.entries import EntryFactory, SourceFactory
from tests.laws.tree import modules, parsed
from tests.laws.writers import offences


def test_no_other_module_writes_it() -> None:
    others = modules(but="entries.transitions")
    assert [(str(path), *found) for path in others for found in offences(parsed(path))] == []


@pytest.mark.parametrize(
    "code",
    [
        "entry.status = 'queued'",
        "a.b.entry.status = x",
        "entry.status, entry.title = 'queued', 'x'",
        "entry.status: str = 'queued'",
        "entry.status += 'x'",
        "setattr(entry, 'status', 'queued')",
        "Entry.objects.filter(pk=1).update(status='queued')",
        "Entry.objects.filter(pk=1).update(**{'status': 'queued'})",
        "Entry.objects.create(status='failed')",
        "Entry.objects.update_or_create(pk=1, defaults={'status': 'failed'})",
        "Entry(status='failed').save()",
        "Attempt.objects.update(status='failed')",
        "entry.save(update_fields=['status'])",
        "Entry.objects.bulk_update(entries, ['title', 'status'])",
        "Entry.objects.bulk_create(e, update_conflicts=True, update_fields={'status'})",
        "cursor.execute('UPDATE entries_entry SET status = %s', ['queued'])",
        "cursor.execute(f'update\\n  only \"entries_entry\" set {column} = 1')",
        "sql = 'INSERT INTO entries_attempt (status) VALUES (1)'",
        "sql = 'delete from entries_entry'",
        "sql = 'TRUNCATE entries_entry'",
    ],
)
def test_every_way_to_write_it_is_seen(code: str) -> None:
    assert len(list(offences(ast.parse(code)))) >= 1


@pytest.mark.parametrize(
    "code",
    [
        "status = entry.status",
        "if entry.status == 'failed': pass",
        "class E(Exception):\n    def __init__(self, s):\n        self.status = s",
        "Entry.objects.filter(status='failed')",
        "HttpResponse(status=204)",
        "run.save(update_fields=['state'])",
        "Entry.objects.update(title='x')",
        "cursor.execute('SELECT status FROM entries_entry FOR UPDATE')",
        "cursor.execute('UPDATE retry_run SET state = 1')",
    ],
)
def test_reading_it_is_no_offence(code: str) -> None:
    assert list(offences(ast.parse(code))) == []


def test_transitions_would_be_an_offence_elsewhere() -> None:
    """Else the search would be looking for something that nobody writes."""
    own = set(modules()) - set(modules(but="entries.transitions"))
    assert sum(len(list(offences(parsed(path)))) for path in own) >= 5


def by_source(entry: Entry) -> None:
    source: Source = SourceFactory.create()
    Entry.objects.filter(pk=entry.pk).update(source=source)
    source.entries.update(status="queued")


def by_save(entry: Entry) -> None:
    entry.status = "queued"
    entry.save(update_fields=["title", "status"])


def by_bulk_update(entry: Entry) -> None:
    entry.status = "queued"
    Entry.objects.bulk_update([entry], ["title", "status"])


def by_upsert(entry: Entry) -> None:
    Entry.objects.bulk_create(
        [Entry(pk=entry.pk, kind="page", external_id="x", status="succeeded")],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["status"],
    )


def by_upsert_in_order(entry: Entry) -> None:
    Entry.objects.bulk_create([entry], None, False, True, ["status"], ["id"])  # noqa: FBT003


WAYS: list[Callable[[Entry], object]] = [
    lambda entry: Entry.objects.filter(pk=entry.pk).update(status="queued"),
    lambda entry: Entry.objects.filter(pk=entry.pk).update(title="x", attempt=F("attempt") + 1),
    lambda entry: Entry.objects.update_or_create(pk=entry.pk, defaults={"status": "succeeded"}),
    by_source,
    by_save,
    by_bulk_update,
    by_upsert,
    by_upsert_in_order,
]


@pytest.mark.django_db
class TestTheModelRefuses:
    @pytest.mark.parametrize("way", WAYS)
    def test_any_way_around(self, way: Callable[[Entry], object]) -> None:
        entry = EntryFactory.create(failed=True)
        before = Entry.objects.filter(pk=entry.pk).values(*FENCED_FIELDS, "title").get()
        with pytest.raises(ValueError, match=r"entries\.transitions"), transaction.atomic():
            way(entry)
        assert Entry.objects.filter(pk=entry.pk).values(*FENCED_FIELDS, "title").get() == before

    @pytest.mark.parametrize("field", sorted(FENCED_FIELDS))
    def test_every_column_of_a_transition(self, field: str) -> None:
        with pytest.raises(ValueError, match=field):
            Entry.objects.update(**{field: None})

    def test_a_stale_instance_undoes_nothing_when_it_is_saved(self) -> None:
        stale = EntryFactory.create(failed=True)
        fresh = Entry.objects.get(pk=stale.pk)
        for field in FENCED_FIELDS - {"status"}:
            setattr(stale, field, None)
        stale.status = "succeeded"
        stale.title = "Edited"
        stale.save()
        after = Entry.objects.get(pk=stale.pk)
        assert after.title == "Edited"
        for field in FENCED_FIELDS:
            assert getattr(after, field) == getattr(fresh, field), field

    def test_what_people_may_edit_can_be_written(self) -> None:
        entry = EntryFactory.create(title="a")
        Entry.objects.filter(pk=entry.pk).update(title="b")
        entry.title = "c"
        Entry.objects.bulk_update([entry], ["title"])
        entry.refresh_from_db()
        assert entry.title == "c"
