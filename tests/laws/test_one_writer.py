"""``Entry.status`` and what follows from it are written in ``entries.transitions`` and nowhere
else; what entries hold is written in ``entries.storage``, which names no status.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import F

from entries.models import FENCED_FIELDS, Entry, Source
from tests.factories.entries import EntryFactory, SourceFactory
from tests.laws.sql_writes import Write, writes
from tests.laws.tree import ROOT, files, modules, parsed
from tests.laws.writers import offences

TRANSITIONS, STORAGE = Path("entries/transitions"), Path("entries/storage")
#: Of an attempt, what a resync has found; all else about it follows from transitions.
_FOUND_BY_RESYNC = frozenset({"change", "hash_before", "hash_after"})


def columns(*names: str) -> frozenset[str]:
    return frozenset(names)


def sql_offences(path: Path, sql: str) -> Iterator[Write]:
    """What a ``.sql`` file at ``path`` must not write."""
    for write in writes(sql):
        entry, attempt = write.table == "entries_entry", write.table == "entries_attempt"
        if not (entry or attempt) or TRANSITIONS in path.parents:
            continue
        content = (
            STORAGE in path.parents
            and bool(write.columns)
            and (
                not write.columns & FENCED_FIELDS
                if entry
                else write.verb == "update" and write.columns <= _FOUND_BY_RESYNC
            )
        )
        if not content:
            yield write


def test_no_other_module_writes_it() -> None:
    others = modules(but="entries.transitions")
    assert [(str(path), *found) for path in others for found in offences(parsed(path))] == []


def test_no_other_statement_writes_it() -> None:
    found = [(path, sql_offences(path, (ROOT / path).read_text())) for path in files("sql")]
    assert [(str(path), write) for path, offending in found for write in offending] == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "UPDATE entries_entry SET status = 'x'",
            Write("update", "entries_entry", columns("status")),
        ),
        (
            (
                "WITH a AS (SELECT 1), b AS (\n  update only entries_entry e\n"
                "  SET title = coalesce(f.a, (SELECT b FROM c WHERE d), e.x),"
                " status = CASE WHEN a THEN 'b, c = d' END,\n  -- run_id = 1, as before\n"
                "  attempt = e.attempt + 1 FROM x WHERE y = 1 RETURNING z\n) SELECT z = 1 FROM b"
            ),
            Write("update", "entries_entry", columns("title", "status", "attempt")),
        ),
        (
            'UPDATE "entries_entry" SET ("status", run_id) = (1, 2) WHERE id = 1',
            Write("update", "entries_entry", columns("status", "run_id")),
        ),
        (
            "INSERT INTO entries_attempt AS a (entry_id, status) SELECT 1, 2",
            Write("insert", "entries_attempt", columns("entry_id", "status")),
        ),
        ("INSERT INTO entries_entry SELECT 1", Write("insert", "entries_entry")),
        ("DELETE FROM entries_entry", Write("delete", "entries_entry")),
        ("TRUNCATE TABLE entries_entry", Write("truncate", "entries_entry")),
        ("MERGE INTO entries_entry USING x ON y", Write("merge", "entries_entry")),
        ("COPY entries_entry FROM stdin", Write("copy", "entries_entry")),
    ],
)
def test_what_a_statement_writes_is_seen(sql: str, expected: Write) -> None:
    assert list(writes(sql)) == [expected]
    for place in ("retry/runs/a.sql", "entries/storage/a.sql"):
        assert list(sql_offences(Path(place), sql)) == [expected]
    assert list(sql_offences(TRANSITIONS / "a.sql", sql)) == []


def test_an_upsert_is_two_writes() -> None:
    sql = (
        "INSERT INTO entries_entry (title) SELECT t FROM x ON CONFLICT (id) DO UPDATE"
        " SET title = excluded.title, status = 'pending' WHERE a = b RETURNING id"
    )
    assert list(writes(sql)) == [
        Write("insert", "entries_entry", columns("title")),
        Write("update", "entries_entry", columns("title", "status")),
    ]
    assert [w.columns for w in sql_offences(STORAGE / "a.sql", sql)] == [columns("title", "status")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT status FROM entries_entry WHERE status = 'a' ORDER BY id FOR UPDATE OF e",
        "SELECT 'UPDATE entries_entry SET status = 1'",
        "UPDATE entries_entry SET title = 1 FROM x WHERE status = 'running' RETURNING status",
        "UPDATE entries_attempt SET change = 1, hash_after = 2 WHERE status = 'running'",
        "INSERT INTO entries_entry (title, payload) SELECT status FROM entries_entry",
    ],
)
def test_storage_may_write_content(sql: str) -> None:
    assert list(sql_offences(STORAGE / "a.sql", sql)) == []


def test_no_content_is_written_outside_of_storage() -> None:
    sql = "UPDATE entries_entry SET title = 1"
    assert len(list(sql_offences(Path("retry/runs/a.sql"), sql))) == 1


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
    own = [path for path in files("sql") if TRANSITIONS in path.parents]
    elsewhere = Path("retry/runs/a.sql")
    found = [w for path in own for w in sql_offences(elsewhere, (ROOT / path).read_text())]
    assert sum(bool(write.columns & FENCED_FIELDS) for write in found) >= 5


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
