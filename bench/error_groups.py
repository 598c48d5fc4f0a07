"""The list of error groups and the pages of single ones, as requests inside Django."""

from collections.abc import Iterator

from django.db import connection
from django.test import Client
from django.test.utils import override_settings

from bench.lists import Row
from bench.lists import _get as get
from bench.lists import _log_in as log_in
from bench.lists import _measure as measure
from bench.lists import _without_indexes as fill_without_indexes
from bench.report import Report
from entries.sql import load
from retry.error_groups.sweep import GroupSweep
from retry.models import ErrorGroup

SIZE = 1_000_000
GROUPS = 300
#: Milliseconds that 95 of 100 requests may take.
GOAL = 100
_TABLES = "entries_entry, entries_indexedentry, entries_attempt, retry_errorgroup"
_LIST = "/admin/retry/errorgroup/"

_SQL = load(__file__)


def main() -> Report:
    with override_settings(ALLOWED_HOSTS=["testserver"]):
        make_failures()
        try:
            return _report(list(_measure_all(log_in())))
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"TRUNCATE {_TABLES} CASCADE")


def make_failures() -> None:
    """Leave failed entries in groups of equal size, analysed, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {_TABLES} CASCADE")
        with fill_without_indexes():
            cursor.execute(_SQL["insert_failures"], {"count": SIZE, "groups": GROUPS})
        cursor.execute("VACUUM ANALYZE entries_entry")
    sweep = GroupSweep(pause_seconds=0)
    while ErrorGroup.objects.count() < GROUPS:
        sweep.step()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE retry_errorgroup")


def _measure_all(client: Client) -> Iterator[Row]:
    ids = list(ErrorGroup.objects.values_list("pk", flat=True))
    yield measure("list", "first page", lambda _: get(client, _LIST, {}))
    yield measure("list", "other pages", lambda n: get(client, _LIST, {"p": str(2 + n % 10)}))
    yield measure("list", "state open", lambda _: get(client, _LIST, {"state": "open"}))
    yield measure(
        "list", "upstream", lambda n: get(client, _LIST, {"upstream": f"host-{n}.example"})
    )
    yield measure("page", "of one", lambda n: get(client, f"{_LIST}{ids[n]}/change/", {}))


def _report(rows: list[Row]) -> Report:
    slow = [f"{row.place}: {row.name}" for row in rows if row.place == "list" and row.p95 > GOAL]
    return Report(
        f"{SIZE:,} failures in {GROUPS} error groups",
        ["", "p50 ms", "p95 ms", "CPU ms", "requests"],
        [
            [
                f"{row.place}: {row.name}",
                *(f"{value:.0f}" for value in (row.p50, row.p95, row.cpu)),
                str(row.requests),
            ]
            for row in rows
        ],
        [
            f"The goal is a p95 of {GOAL} ms for the list.",
            *([f"Slower: {', '.join(slow)}."] if slow else []),
        ],
    )
