"""Folding outcome counts: what workers appended into minutes, minutes into hours, hours into days.

Each step deletes and adds in one statement, so a dispatcher that dies in the middle loses nothing
and counts nothing twice, and neither do two that fold at once.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from entries.sql import load, read_dicts
from retry.error_groups.recording import FoldedFailures, record_failures
from retry.models import ALL_FAILURES, Span

_SQL = load(__file__)

#: Rows in one statement, and statements in one tick.
_BATCH = 5_000
_ROUNDS = 10


def fold(do: Callable[[Callable[[], int]], int]) -> int:
    """Fold what workers have appended, in bounded batches; return how many rows were folded.

    ``do`` does one step under the dispatcher's lease and returns its number, 0 where it failed.
    """
    return _repeat(do, _fold_flushes)


def fold_older(do: Callable[[Callable[[], int]], int]) -> int:
    """Fold and forget counts that have become too old for their span, as ``fold`` does."""
    return sum(_repeat(do, step) for step in (_fold_minutes, _fold_hours, _forget))


def _repeat(do: Callable[[Callable[[], int]], int], step: Callable[[], int]) -> int:
    folded = 0
    for _ in range(_ROUNDS):
        rows = do(step)
        folded += rows
        if rows < _BATCH:
            break
    return folded


def _fold_flushes() -> int:
    with transaction.atomic():
        rows = _fetch(_SQL["fold_flushes"], {"batch": _BATCH, "all_failures": ALL_FAILURES})
        failures = [_build_failures(row) for row in rows if row["fingerprint"]]
        if failures:
            record_failures(failures)
    return int(rows[0]["taken"]) if rows else 0


def _build_failures(row: Mapping[str, Any]) -> FoldedFailures:
    known = {key: value for key, value in row.items() if key != "taken"}
    return FoldedFailures(**known | {"count": int(row["count"])})


def _fold_minutes() -> int:
    return _fold_older(Span.MINUTE, Span.HOUR, hours=settings.REDRIVE_MINUTE_COUNTS_HOURS)


def _fold_hours() -> int:
    return _fold_older(Span.HOUR, Span.DAY, hours=24 * settings.REDRIVE_HOUR_COUNTS_DAYS)


def _fold_older(span: Span, longer: Span, *, hours: int) -> int:
    params = {"span": span.value, "longer": longer.value, "hours": hours, "batch": _BATCH}
    return int(_fetch(_SQL["fold_older"], params)[0]["taken"])


def _forget() -> int:
    with connection.cursor() as cursor:
        params = {"days": settings.REDRIVE_DAY_COUNTS_DAYS, "batch": _BATCH}
        cursor.execute(_SQL["forget"], params)
        return int(cursor.rowcount)


def _fetch(statement: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return read_dicts(cursor)
