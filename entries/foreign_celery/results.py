"""The table in which django-celery-results keeps what became of tasks; it is only read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from entries.error_texts import UNKNOWN, describe_text
from entries.errors import PermanentError, TransientError
from entries.foreign_celery.addresses import describe, find_results_problem, split_results
from entries.foreign_celery.arguments import Arguments, decode_arguments
from entries.foreign_celery.connections import Connections
from entries.foreign_celery.task_ids import MARK
from entries.sql import load
from entries.text import ErrorInfo, clean_text

_SQL = load(__file__)
#: Rows that are read together, and bytes of a column; of a traceback, which is then cut.
BATCH = 200
_LIMITS = {"max_bytes": 256 * 1024, "max_traceback": 1024 * 1024}
#: Failures that one reading adopts at most.
MOST = 1_000_000
_FAILED = "FAILURE"
#: After which nothing follows. Celery itself stores no IGNORED; some projects do.
_ENDED = frozenset({"SUCCESS", _FAILED, "REVOKED", "IGNORED", "REJECTED"})


class ResultsAway(TransientError):
    """The database with the results cannot be reached, or does not answer."""


class ResultsRefused(PermanentError):
    """The database with the results may not be connected to, or has no results to read."""


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task and its failure. ``name`` is empty where the installation does not keep it."""

    id: str
    name: str
    arguments: Arguments
    error: ErrorInfo
    created_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    worker: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A task at one moment. ``status`` is Celery's; empty where there is no row of it."""

    status: str = ""
    worker: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    done_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDED

    @property
    def failed(self) -> bool:
        return self.status == _FAILED


class Results:
    """The results of one installation.

    Making it raises ``ResultsRefused``; everything else raises that or ``ResultsAway``.
    """

    def __init__(self, url: str) -> None:
        problem = find_results_problem(url)
        if problem:
            raise ResultsRefused(problem)
        self._name = describe(url)
        self._connections = Connections(split_results(url))

    def close(self) -> None:
        self._connections.close()

    def find_failed(self) -> list[int]:
        """Return the numbers of the rows of failures, the oldest first; at most ``MOST``."""
        rows = self._fetch(_SQL["find_failed"], {"mark": MARK, "limit": MOST})
        return sorted(row[0] for row in rows)

    @staticmethod
    def is_cut(rows: Sequence[int]) -> bool:
        """Say whether there may be more failures than these."""
        return len(rows) >= MOST

    def read_failed(self, rows: Sequence[int]) -> Iterator[FailedTask]:
        """Yield failures by the numbers of their rows; what is no failure any more is left out."""
        for start in range(0, len(rows), BATCH):
            part = list(rows[start : start + BATCH])
            yield from map(_build, self._fetch(_SQL["read_failed"], {"ids": part, **_LIMITS}))

    def read_tasks(self, ids: Sequence[str]) -> Iterator[FailedTask]:
        """Yield the failures with these ids."""
        for start in range(0, len(ids), BATCH):
            part = list(ids[start : start + BATCH])
            yield from map(_build, self._fetch(_SQL["read_tasks"], {"task_ids": part, **_LIMITS}))

    def look(self, id_: str) -> Sight:
        rows = self._fetch(_SQL["look"], {"task_id": id_})
        if not rows:
            return Sight()
        status, worker, *times = rows[0]
        return Sight(_clean(status), _clean(worker), *map(_read_time, times))

    def read_error(self, id_: str) -> ErrorInfo:
        """Return the error of a task that has failed."""
        rows = self._fetch(_SQL["read_task"], {"task_id": id_, **_LIMITS})
        return _build(rows[0]).error if rows else describe_text("", otherwise=(UNKNOWN, ""))

    def _fetch(self, statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connections.run(
                lambda connection: connection.execute(statement, params).fetchall()
            )
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise ResultsRefused(
                f"the database at {self._name} has no table of django-celery-results 2.0 or later"
            ) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise ResultsRefused(
                f"the user may not read django_celery_results_taskresult at {self._name}"
            ) from error
        except (psycopg.Error, UnicodeError) as error:
            raise ResultsAway(
                f"the database at {self._name} did not answer: {type(error).__name__}"
            ) from error


def share_results(url: str) -> Results:
    """Return the results that all threads of a process share. Raises ``ResultsRefused``."""
    problem = find_results_problem(url)
    if problem:
        raise ResultsRefused(problem)
    return _SHARED.get(url) or _SHARED.setdefault(url, Results(url))


def forget_results() -> None:
    """Close the connections of ``share_results`` that are idle."""
    while _SHARED:
        _SHARED.popitem()[1].close()


#: By address; there are as many as sources of this kind.
_SHARED: dict[str, Results] = {}


def describe_failure(result: str, traceback: str, *, encoding: str) -> ErrorInfo:
    """Describe a failure by its traceback, else by the error that Celery has written as JSON."""
    return describe_text(traceback, otherwise=_read_error(result, encoding))


def _read_error(result: str, encoding: str) -> tuple[str, str]:
    if encoding.lower() == "binary":
        return UNKNOWN, "the error is pickled, and is not read"
    try:
        found = json.loads(result) if result else None
    except (ValueError, RecursionError):
        return UNKNOWN, result
    if not isinstance(found, dict):
        return UNKNOWN, result
    name, message = found.get("exc_type"), found.get("exc_message")
    texts = message if isinstance(message, list) else [message]
    shown = ", ".join(str(text) for text in texts if text is not None)
    return (name if isinstance(name, str) and name else UNKNOWN), shown


def _build(row: tuple[Any, ...]) -> FailedTask:
    id_, _, name, args, kwargs, too_large, worker, encoding, result, traceback, *times = row
    created_at, started_at, done_at = map(_read_time, times)
    return FailedTask(
        id=id_,
        name=_clean(name),
        arguments=decode_arguments(args, kwargs, encoding=encoding, too_large=too_large),
        error=describe_failure(result or "", traceback or "", encoding=encoding),
        created_at=created_at,
        started_at=started_at,
        failed_at=done_at,
        worker=_clean(worker),
    )


def _read_time(value: Any) -> datetime | None:
    """Return a time with its zone: with USE_TZ off, theirs have none."""
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _clean(value: str) -> str:
    return clean_text(value, limit=300)
