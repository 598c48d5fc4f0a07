"""Lists, filters, searches, previews and counts, as requests inside Django."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5
from urllib.parse import urlencode

from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from bench.report import Report
from entries.sql import load
from retry import queue

SIZE = 1_000_000
FULL = 10_000_000
#: Milliseconds that 95 of 100 requests may take, by size; a preview may take longer.
GOALS = {SIZE: 100, FULL: 200}
PREVIEW_GOAL = 300
_WARM_UP = 3
_REQUESTS = 25

_SQL = load(__file__)
_TABLES = (
    "entries_entry, entries_indexedentry, entries_attempt, retry_run, retry_operation,"
    " retry_auditevent"
)
_LIST, _API = "/admin/entries/entry/", "/admin/api/entries"
_PREVIEW = "/admin/retry/operation/preview/"


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request: the query of the nth one."""

    name: str
    query: Callable[[int], dict[str, str]]


def main(*, full: bool) -> Report:
    size = FULL if full else SIZE
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        make_entries(size)
        try:
            return _report(size, list(_measure_all(_log_in())))
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
        cursor.execute("ALTER INDEX indexed_text ALTER COLUMN 1 SET STATISTICS 1000")
        for table in ("entries_entry", "entries_indexedentry"):
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


def _source(n: int) -> dict[str, str]:
    return {"source": f"source-{n * 7 % 20}"}


def _kind(n: int) -> dict[str, str]:
    return {"kind": ("page", "webhook", "noop", "mail", "report")[n % 5]}


def _upstream(n: int) -> dict[str, str]:
    return {"upstream": f"host-{n * 29 % 200}.example"}


def _error_class(n: int) -> dict[str, str]:
    return {"error_class": ("TransientError", "ValueError", "WorkerLost")[n % 3]}


def _fingerprint(n: int) -> dict[str, str]:
    error = n * 43 % 300
    return {"fingerprint": f"1-{md5(f'error {error}'.encode(), usedforsecurity=False).hexdigest()}"}


def _status(name: str) -> Callable[[int], dict[str, str]]:
    return lambda _: {"status": name}


def _search(text: str) -> Callable[[int], dict[str, str]]:
    return lambda _: {"q": text}


def _both(
    *parts: Callable[[int], dict[str, str]],
) -> Callable[[int], dict[str, str]]:
    return lambda n: {name: value for part in parts for name, value in part(n).items()}


_FAILED = _status("failed")
CASES = (
    Case("everything", lambda _: {}),
    *(
        Case(f"status {name}", _status(name))
        for name in (
            "failed",
            "succeeded",
            "pending",
            "queued",
            "scheduled",
            "discarded",
            "running",
        )
    ),
    Case("kind", _kind),
    Case("source", _source),
    Case("upstream", _upstream),
    Case("error class", _error_class),
    Case("fingerprint", _fingerprint),
    Case("gone", lambda _: {"gone": "yes"}),
    Case("failed, kind", _both(_FAILED, _kind)),
    Case("failed, source", _both(_FAILED, _source)),
    Case("failed, upstream", _both(_FAILED, _upstream)),
    Case("failed, error class", _both(_FAILED, _error_class)),
    Case("failed, fingerprint", _both(_FAILED, _fingerprint)),
    Case("failed, source, kind", _both(_FAILED, _source, _kind)),
    Case("failed, source, fingerprint", _both(_FAILED, _source, _fingerprint)),
    Case("failed, upstream, error class", _both(_FAILED, _upstream, _error_class)),
    Case("failed, still in the source", _both(_FAILED, lambda _: {"gone": "no"})),
    Case("succeeded, source", _both(_status("succeeded"), _source)),
    Case("discarded, source", _both(_status("discarded"), _source)),
    Case("scheduled, upstream", _both(_status("scheduled"), _upstream)),
    Case("source, kind", _both(_source, _kind)),
    Case("source, upstream", _both(_source, _upstream)),
    Case("search: a common word", _search("article")),
    Case("search: one of 16 words", _search("HARBOURS")),
    Case("search: a rare word", _search("zeppelin")),
    Case("search: no hit", _search("quetzalcoatl")),
    Case("search: part of an id", lambda n: {"q": str(4_000 + n * 1_013)}),
    Case("search: two letters", _search("qu")),
    Case("search: two letters, no hit", _search("§§")),
    Case("search: #id", lambda n: {"q": f"#{n + 1}"}),
    Case("search: in an error", _search("refused in stage ab")),
    Case("search: a rare error", _search("stage hl")),
    Case("search failed: a rare word", _both(_FAILED, _search("zeppelin"))),
    Case("search failed: a common word", _both(_FAILED, _search("article"))),
    Case("search failed: no hit", _both(_FAILED, _search("quetzalcoatl"))),
    Case("search source: a rare word", _both(_source, _search("zeppelin"))),
    Case("search failed, source: a word", _both(_FAILED, _source, _search("harbours"))),
)
#: Cases that a list of the API can have, and the admin not.
_API_ONLY = (
    Case("failed in an hour", _both(_FAILED, lambda n: _since(n, hours=1))),
    Case("failed in a day, source", _both(_FAILED, _source, lambda n: _since(n, hours=24))),
)
_PREVIEWS = (
    Case("failed", _FAILED),
    Case("failed, source", _both(_FAILED, _source)),
    Case("failed, fingerprint", _both(_FAILED, _fingerprint)),
    Case("failed, upstream, error class", _both(_FAILED, _upstream, _error_class)),
    Case("source", _source),
    Case("search: a rare word", _search("zeppelin")),
    Case("search: a common word", _search("article")),
    Case("search failed: a rare error", _both(_FAILED, _search("stage hl"))),
)


def _since(n: int, *, hours: int) -> dict[str, str]:
    until = timezone.now() - timedelta(days=n % 80)
    since = until - timedelta(hours=hours)
    return {"failed_after": since.isoformat(), "failed_before": until.isoformat()}


@dataclass(frozen=True, slots=True)
class Row:
    place: str
    name: str
    p50: float
    p95: float
    requests: int


def _measure_all(client: Client) -> Iterator[Row]:
    for case in CASES:
        yield _measure("admin", case.name, lambda n: _get(client, _LIST, case.query(n)))  # noqa: B023
    yield _measure("admin", "page 50", lambda _: _get(client, _LIST, {"p": "50"}))
    for case in (*CASES, *_API_ONLY):
        yield _measure("API", case.name, lambda n: _get(client, _API, case.query(n)))  # noqa: B023
    for case in _PREVIEWS:
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
    times = []
    for n in range(_WARM_UP + _REQUESTS):
        cache.clear()  # counts are kept for seconds
        begin = time.perf_counter()
        request(n)
        if n >= _WARM_UP:
            times.append((time.perf_counter() - begin) * 1000)
    cuts = statistics.quantiles(times, n=20)
    return Row(place, name, cuts[9], cuts[18], len(times))


def _report(size: int, rows: list[Row]) -> Report:
    def is_slow(row: Row) -> bool:
        return row.p95 > (PREVIEW_GOAL if row.place in {"dry run", "preview"} else GOALS[size])

    slow = [f"{row.place}: {row.name}" for row in rows if is_slow(row)]
    goal = (
        f"The goal is a p95 of {GOALS[size]} ms, and of {PREVIEW_GOAL} ms for previews; "
        f"{len(rows) - len(slow)} of {len(rows)} rows reach it."
    )
    return Report(
        f"Lists over {size:,} entries",
        ["", "p50 ms", "p95 ms", "requests"],
        [
            [f"{row.place}: {row.name}", f"{row.p50:.0f}", f"{row.p95:.0f}", str(row.requests)]
            for row in rows
        ],
        [goal] + ([f"Slower: {', '.join(slow)}."] if slow else []),
    )
