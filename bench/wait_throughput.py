"""Work that waits for another server, with two workers, against other queues with two."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from bench import chart, stage
from bench.peers import bullmq_peer, celery_peer, rq_peer
from bench.processes import CONCURRENCY, wait_until
from bench.report import Measurement, Report, add_turns, compare, describe_turns
from bench.slow_server import run_server
from bench.worker_throughput import WORKERS, release_backlog
from entries.endpoints import create_secret
from entries.models import Endpoint

ENTRIES = 20_000
#: How long the server takes for an answer.
SECONDS = 0.1
CHART = Path(__file__).parent.parent / "docs" / "performance" / "waiting.svg"
_ENDPOINT = "slow"


def main(*, entries: int = ENTRIES, draw: bool = False) -> Report:
    """Measure all; Redrive and the fastest peer take two turns, before and after the others."""
    with run_server(SECONDS) as url:
        first, rival = measure_pages(entries, url=url), bullmq_peer.drain(entries, url=url)
        others: list[Callable[[], Measurement]] = [
            lambda: measure_webhooks(entries, url=url),
            lambda: celery_peer.drain_requests(max(entries // 2, 2), url=url),
            lambda: rq_peer.drain(max(entries // 100, 2), kind="fork", url=url),
        ]
        measured = [other() for other in others]
        rival_again, again = bullmq_peer.drain(entries, url=url), measure_pages(entries, url=url)
    rows = [add_turns(first, again), add_turns(rival, rival_again), *measured, _limit(entries)]
    report = compare(
        "Waiting",
        rows,
        notes=[
            (
                "Each job is one request to a server on the same machine that answers after "
                f"{SECONDS * 1000:g} ms. All workers are up and idle before the backlog is "
                "released."
            ),
            (
                f"Redrive: up to {CONCURRENCY} entries at a time in each worker, until every "
                "outcome is committed in PostgreSQL; webhooks are signed, and request and answer "
                "are kept. The others: a request on a kept connection, until every outcome is in "
                "Redis; RQ has a process for each job, and Celery keeps no outcome, but "
                "acknowledges a job when it is done."
            ),
            describe_turns(redrive=(first, again), rival=(rival, rival_again)),
        ],
    )
    if draw:
        CHART.write_text(_draw(rows))
        report = replace(report, picture=CHART.name)
    return report


def measure_pages(count: int, *, url: str) -> Measurement:
    work = stage.WaitingWork("page", {"url": url}, upstream=urlsplit(url).netloc)
    return replace(_measure(count, work), name=f"Redrive, pages, {WORKERS} workers")


def measure_webhooks(count: int, *, url: str) -> Measurement:
    values = {"url": url, "secret": create_secret()}
    Endpoint.objects.update_or_create(slug=_ENDPOINT, defaults=values)
    work = stage.WaitingWork("webhook", {"endpoint": _ENDPOINT}, upstream=_ENDPOINT)
    return replace(_measure(count, work), name=f"Redrive, webhooks, {WORKERS} workers")


def _measure(count: int, work: stage.WaitingWork) -> Measurement:
    with stage.run_dispatcher() as dispatcher:
        stage.make_failed_entries(count, work=work)
        operation = stage.start_operation()
        wait_until(lambda: stage.is_queued(operation))
        with release_backlog(dispatcher) as begin:
            wait_until(lambda: stage.count_open_runs(operation) == 0, seconds=3600)
            took = time.perf_counter() - begin.at
    assert stage.count_status("succeeded") == count
    return Measurement(name="", entries=count, seconds=took, ours=True)


def _limit(count: int) -> Measurement:
    name = f"{WORKERS} workers, {CONCURRENCY} at a time, {SECONDS:g} s each"
    rate = WORKERS * CONCURRENCY / SECONDS
    return Measurement(name=name, entries=count, seconds=count / rate, limit=True)


def _draw(rows: list[Measurement]) -> str:
    bars = [chart.Bar(_shorten(row), row.rate, ours=row.ours) for row in rows if row.rate]
    title = f"Work that waits {SECONDS * 1000:g} ms: entries a second, {WORKERS} workers each"
    return chart.draw_bars(title, bars)


def _shorten(row: Measurement) -> str:
    """Return the name without what the title says."""
    name = row.name.replace(f", {WORKERS} workers", "").removeprefix(f"{WORKERS} workers, ")
    return f"{name} (limit)" if row.limit else name
