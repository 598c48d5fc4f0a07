"""What a request has changed, and taking it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from retry import audit
from retry.models import AuditEvent, Operation, Run, RunState

#: Kept for its own sake by whoever is logged in, or written by nothing of ours.
LEFT_OUT = {"sessions.Session", "admin.LogEntry"}


def everything() -> dict[str, str]:
    """A digest of each table that the admin could touch, but the notes of what was refused."""
    tables = {
        model._meta.label: model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.label not in LEFT_OUT and model._meta.managed
    }
    digests = [
        f"SELECT '{label}', md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{table}\" t"  # noqa: S608
        + (" WHERE t.verb <> %s" if label == "retry.AuditEvent" else "")
        for label, table in tables.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(digests), [audit.REFUSED])
        return dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Trace:
    """``changed``: labels of the tables that are not what they were. ``refused``: the audit has a
    note of it. ``empty``: there is a new operation, and nothing to do in it.
    """

    changed: tuple[str, ...]
    refused: bool
    empty: bool


def observed() -> Callable[[], Trace]:
    """Remember how things are; returns what says how they differ since then."""
    before, notes, known = everything(), _refusals(), set(_operations())

    def since() -> Trace:
        now = everything()
        different = (label for label in now if now[label] != before[label])
        started = Operation.objects.exclude(pk__in=known)
        # What is not there for whoever asks is planned without a kind, to be told as an outcome.
        planned = Run.objects.filter(operation__in=started, state=RunState.PLANNED).exclude(kind="")
        return Trace(
            tuple(sorted(different)),
            refused=_refusals() != notes,
            empty=started.exists() and not planned.exists(),
        )

    return since


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
