"""What a request has changed, and taking it back."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from retry import audit
from retry.models import AuditEvent, Operation, Run, RunState

#: Kept for its own sake by whoever is logged in, or written by nothing of ours.
LEFT_OUT = {"sessions.Session", "admin.LogEntry"}
_WRITES = """
    SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)
        + pg_stat_get_xact_tuples_deleted(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname = ANY(%s)
"""


@cache
def _tables() -> dict[str, str]:
    """Those that the admin could touch, by the label of their model."""
    return {
        model._meta.label: model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in LEFT_OUT and model._meta.managed
    }


def everything(among: Collection[str] | None = None) -> dict[str, str]:
    """A digest of each table, or of those of some models, but the notes of what was refused."""
    tables = {label: name for label, name in _tables().items() if among is None or label in among}
    if not tables:
        return {}
    refused = [audit.REFUSED] if "retry.AuditEvent" in tables else []
    digests = [
        f"SELECT '{label}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t"  # noqa: S608
        + (" WHERE t.verb <> %s" if label == "retry.AuditEvent" else "")
        for label, table in tables.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digests), refused)
        return dict(cursor.fetchall())


def writes() -> dict[str, int]:
    """How many rows this transaction has written in each table so far, also what it took back.

    PostgreSQL counts them as it writes, whoever asks it to: a cascade or a trigger as well.
    """
    labels = {name: label for label, name in _tables().items()}
    with connection.cursor() as cursor:
        cursor.execute(_WRITES, [list(labels)])
        return {labels[name]: count for name, count in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Trace:
    """``changed``: labels of the tables that are not what they were. ``refused``: the audit has a
    note of it. ``empty``: there is a new operation, and nothing to do in it.
    """

    changed: tuple[str, ...]
    refused: bool
    empty: bool


def observed(
    before: Mapping[str, str] | None = None, *, prepare: Callable[[], object] | None = None
) -> Callable[[], Trace]:
    """Remember how things are; returns what says how they differ since then, in this transaction.

    ``before``: ``everything``, where that is known. What nothing was written to is as it was.
    ``prepare``: changes how things are before that.
    """
    start = before or everything()
    written = writes()
    if prepare is not None:
        prepare()
        first, written = written, writes()
        start = {**start, **everything(_differing(first, written))}
    notes, known = _refusals(), set(_operations())

    def since() -> Trace:
        touched = _differing(written, writes())
        now = everything(touched)
        different = (label for label in now if now[label] != start[label])
        if not touched:
            return Trace((), refused=False, empty=False)
        started = Operation.objects.exclude(pk__in=known)
        # What is not there for whoever asks is planned without a kind, to be told as an outcome.
        planned = Run.objects.filter(operation__in=started, state=RunState.PLANNED).exclude(kind="")
        return Trace(
            tuple(sorted(different)),
            refused=_refusals() != notes,
            empty=started.exists() and not planned.exists(),
        )

    return since


def _differing(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    return [label for label, count in now.items() if count != before[label]]


def _refusals() -> int:
    return AuditEvent.objects.filter(verb=audit.REFUSED).count()


def _operations() -> QuerySet[Operation, UUID]:
    return Operation.objects.values_list("pk", flat=True)


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever happens in it. Nothing after a commit happens either."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
