"""Migrations work beside processes of the version before, and lock no large table for long.

What breaks a rule for good cause stands in ``ALLOWED``, and in CHANGELOG.md for those who upgrade.
"""

from collections.abc import Iterator, Mapping

import pytest
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED, Field

#: Models with a row for each entry or attempt, or which grow like them.
LARGE = frozenset(
    {
        "entry",
        "attempt",
        "indexedentry",
        "edit",
        "run",
        "auditevent",
        "outcomecount",
        "noticedelivery",
    }
)
_BEFORE_RELEASE = "made before there was a version to upgrade from; see CHANGELOG.md"
#: ``app.migration`` -> because.
ALLOWED: Mapping[str, str] = dict.fromkeys(
    (
        "entries.0003_resync_webhooks_and_intervals",
        "entries.0005_gone_index",
        "retry.0003_holds_last_outcomes",
        "retry.0004_worker_heartbeats",
        "retry.0008_idempotency_digest",
        "retry.0009_channel",
        "retry.0010_run_waiting",
        "retry.0019_reasons_and_subscriptions_of_a_source",
    ),
    _BEFORE_RELEASE,
)


def list_migrations() -> list[tuple[str, migrations.Migration]]:
    found = MigrationLoader(None).disk_migrations
    return [
        (f"{app}.{name}", migration)
        for (app, name), migration in sorted(found.items())
        if app in {"entries", "retry"} and migration.dependencies
    ]


def find_problems(migration: migrations.Migration) -> Iterator[str]:
    """Yield what old processes, or a full table, would suffer from."""
    made: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            made.add(operation.name_lower)
        elif getattr(operation, "model_name_lower", "") not in made:
            yield from _judge(operation)


def _judge(operation: Operation) -> Iterator[str]:
    named = operation.describe()
    match operation:
        case (
            migrations.RemoveField()
            | migrations.RenameField()
            | migrations.DeleteModel()
            | migrations.RenameModel()
            | migrations.AlterModelTable()
        ):
            yield f"{named}: old processes still use it"
        case migrations.AddField() if not _is_optional(operation.field):
            yield f"{named}: old processes insert rows without it; give it db_default, or null=True"
        case AddIndexConcurrently() | RemoveIndexConcurrently():
            pass
        case migrations.AddIndex() if operation.model_name_lower in LARGE:
            yield f"{named}: blocks writers while it is built; take AddIndexConcurrently"
        case AddConstraintNotValid():
            pass
        case migrations.AddConstraint() if operation.model_name_lower in LARGE:
            yield f"{named}: blocks the table while it is checked; take AddConstraintNotValid"


def _is_optional(field: "Field[object, object]") -> bool:
    return field.null or field.many_to_many or field.db_default is not NOT_PROVIDED


@pytest.mark.parametrize(("name", "migration"), list_migrations())
def test_old_processes_work_beside_it(name: str, migration: migrations.Migration) -> None:
    problems = list(find_problems(migration))
    if name in ALLOWED:
        assert problems, f"{name} needs no exception any more"
    else:
        assert not problems, "\n".join(problems)
