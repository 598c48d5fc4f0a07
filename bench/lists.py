"""Lists, filters, searches, previews and counts, as requests inside Django."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from bench import list_cases, single_retry
from bench.report import Report
from config.web import memory
from entries import storage
from entries.sql import load
from retry import queue

SIZE = 1_000_000
FULL = 10_000_000
#: Milliseconds that 95 of 100 requests may take, by size; a preview may take longer. On a machine
#: as fast as the one of docs/performance.md, which the floor of a retry tells.
GOALS = {SIZE: 100, FULL: 200}
PREVIEW_GOAL = 300
_CPU = (
    "CPU: the median of what the web process and PostgreSQL's backend used of a processor, which "
    "other work on the machine changes less than the time by the clock."
)
_WARM_UP = 3
_REQUESTS = 25

_SQL = load(__file__)
_TABLES = (
    "entries_entry, entries_indexedentry, entries_attempt, retry_run, retry_operation,"
    " retry_auditevent"
)
_LIST, _API = "/admin/entries/entry/", "/admin/api/entries"
_PREVIEW = "/admin/retry/operation/preview/"


def main(*, full: bool) -> Report:
    size = FULL if full else SIZE
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        before = single_retry.measure_floor()
        make_entries(size)
        memory.settle()  # as a web process does
        try:
            rows = list(_measure_all(_log_in()))
            return _report(size, rows, floors=(before, single_retry.measure_floor()))
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {_TABLES} CASCADE")


def make_entries(count: int) -> None:
    """Leave ``count`` entries in the database, indexed and analysed, and nothing else."""
    queue.get_client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES} CASCADE")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(_SQL["insert_sources"])
        with _without_indexes():
            cursor.execute(_SQL["insert_entries"], {"count": count})
            cursor.execute(_SQL["insert_index"])
        storage.recount_statuses()
        storage.fold_status_changes()
        cursor.execute("ALTER INDEX indexed_text ALTER COLUMN 1 SET STATISTICS 1000")
        for table in ("entries_entry", "entries_indexedentry", "entries_statustotal"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Drop the indexes and stop the triggers, and make both work again: ten times as fast."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["rebuildable"], {})
        found = cursor.fetchall()
        cursor.execute("ALTER TABLE entries_entry DISABLE TRIGGER USER")
        for drop, _ in found:
            cursor.execute(drop)
        try:
            yield
        finally:
            cursor.execute("SET maintenance_work_mem = '512MB'")
            for _, make in found:
                cursor.execute(make)
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("ALTER TABLE entries_entry ENABLE TRIGGER USER")


def _log_in() -> Client:
    """Log in an operator with every permission, who is no superuser."""
    user, _ = User.objects.get_or_create(username="bench-lists", defaults={"is_staff": True})
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=("entries", "retry"))
    )
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@dataclass(frozen=True, slots=True)
class Row:
    place: str
    name: str
    p50: float
    p95: float
    #: The median of what this process and the database's used of a processor.
    cpu: float
    requests: int


def _measure_all(client: Client) -> Iterator[Row]:
    for case in list_cases.CASES:
        yield _measure("admin", case.name, lambda n: _get(client, _LIST, case.query(n)))  # noqa: B023
    yield _measure("admin", "page 50", lambda _: _get(client, _LIST, {"p": "50"}))
    for case in (*list_cases.CASES, *list_cases.API_ONLY):
        yield _measure("API", case.name, lambda n: _get(client, _API, case.query(n)))  # noqa: B023
    for case in list_cases.PREVIEWS:
        yield _measure("dry run", case.name, lambda n: _dry_run(client, case.query(n)))  # noqa: B023
        yield _measure(
            "preview", case.name,
            lambda n: _get(client, _PREVIEW, {"action": "retry", **case.query(n)}),  # noqa: B023
        )  # fmt: skip
    for name, address in (
        ("front page", "/admin/"),
        ("status", "/admin/retry/status/"),
        ("API status", "/admin/api/status"),
    ):
        yield _measure("counts", name, lambda _: _get(client, address, {}))  # noqa: B023


def _get(client: Client, address: str, query: dict[str, str]) -> None:
    response = client.get(f"{address}?{urlencode(query)}")
    assert response.status_code == 200, (address, query, response.content[:500])


def _dry_run(client: Client, query: dict[str, str]) -> None:
    response = client.post(
        "/admin/api/retry/bulk",
        json.dumps({"filter": query, "dry_run": True}),
        content_type="application/json",
    )
    assert response.status_code == 200, (query, response.content[:500])


def _measure(place: str, name: str, request: Callable[[int], None]) -> Row:
    times, used = [], []
    for n in range(_WARM_UP + _REQUESTS):
        cache.clear()  # counts are kept for seconds
        begin, busy = time.perf_counter(), _read_cpu()
        request(n)
        if n >= _WARM_UP:
            times.append((time.perf_counter() - begin) * 1000)
            used.append((_read_cpu() - busy) * 1000)
    cuts = statistics.quantiles(times, n=20)
    return Row(place, name, cuts[9], cuts[18], statistics.median(used), len(times))


def _read_cpu() -> float:
    """Read the seconds that this process and its session's backend, where it is here, have run."""
    backend = connection.connection.info.backend_pid
    try:
        nanoseconds = int(Path(f"/proc/{backend}/schedstat").read_text().split()[0])
    except OSError:
        nanoseconds = 0
    return time.process_time() + nanoseconds / 1e9


def _report(size: int, rows: list[Row], *, floors: tuple[float, float]) -> Report:
    slowness = max(1.0, statistics.mean(floors) / single_retry.FLOOR_THERE)
    slow = [row for row in rows if row.p95 > _goal(row, size)]
    slower = [row for row in slow if row.p95 > slowness * _goal(row, size)]
    notes = [
        (
            f"The goal is a p95 of {GOALS[size]} ms, and of {PREVIEW_GOAL} ms for previews; "
            f"{len(rows) - len(slow)} of {len(rows)} rows reach it by the clock."
        ),
        (
            f"The floor of one retry, before and after: {floors[0]:.1f} and {floors[1]:.1f} ms, "
            f"{single_retry.FLOOR_THERE} on the machine that the goals are for. Scaled by that, "
            f"{len(rows) - len(slower)} of {len(rows)} rows reach it."
        ),
        _CPU,
    ]
    for text, found in (("Slower", slow), ("Slower, scaled", slower)):
        if found:
            notes.append(f"{text}: {', '.join(f'{row.place}: {row.name}' for row in found)}.")
    return Report(
        f"Lists over {size:,} entries",
        ["", "p50 ms", "p95 ms", "CPU ms", "requests"],
        [
            [
                f"{row.place}: {row.name}",
                *(f"{value:.0f}" for value in (row.p50, row.p95, row.cpu)),
                str(row.requests),
            ]
            for row in rows
        ],
        notes,
    )


def _goal(row: Row, size: int) -> float:
    return PREVIEW_GOAL if row.place in {"dry run", "preview"} else GOALS[size]
