"""Counts that stop in time, and say so."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet

from entries.budget import OutOfTime, time_budget
from entries.lists.windows import BUDGET_SECONDS, BY_ID, WINDOW_SECONDS, Window, open_window
from entries.models import EntryQuerySet

#: Counting stops here.
MOST = 10_000


def count_each(
    found: Sequence[QuerySet[Any]], *, most: int | None = None
) -> list[tuple[int, bool]] | None:
    """Count at most ``MOST`` of each, unless given, in one statement; None where that takes too
    long.
    """
    return _run(_compile(found, MOST if most is None else most), BUDGET_SECONDS)


@dataclass(frozen=True, slots=True)
class _CountStatement:
    """A statement that counts several querysets, with the number of each."""

    text: str
    params: Sequence[Any]
    most: int


def _compile(found: Sequence[QuerySet[Any]], most: int) -> _CountStatement:
    parts, params = [], []
    for number, each in enumerate(found):
        compiler = (
            each.order_by()
            .values("pk")[: most + 1]
            .query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False)
        )
        text, positional = compiler.as_sql()
        # Django's own SQL, with its values bound.
        parts.append(f"SELECT {number}, count(*) FROM ({text}) AS counted")  # noqa: S608
        params += positional
    return _CountStatement(" UNION ALL ".join(parts), params, most)


def _run(statement: _CountStatement, seconds: float) -> list[tuple[int, bool]] | None:
    if not statement.text:
        return []
    most = statement.most
    with suppress(OutOfTime), time_budget(seconds), connection.cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return [(min(count, most), count > most) for _, count in sorted(cursor.fetchall())]
    return None


def count(
    found: QuerySet[Any],
    *,
    visible: EntryQuerySet,
    window: Window | None = None,
    seconds: float = BUDGET_SECONDS,
) -> tuple[int, bool]:
    """Count at most ``MOST``, and tell whether there are more.

    What cannot be counted within ``seconds`` is counted among the newest that are ``visible``;
    where even that takes too long, "more than none" is all that is known. ``window``: the newest,
    where they are known.
    """
    with suppress(OutOfTime), time_budget(seconds):
        # With an order the database would sort before it counts.
        number = found.order_by()[: MOST + 1].count()
        return min(number, MOST), number > MOST
    with suppress(OutOfTime), time_budget(WINDOW_SECONDS):
        window = window or open_window(visible, BY_ID)
        return window.narrow(found).order_by()[:MOST].count(), window.edge is not None
    return 0, True
