"""The breaker at work in this process: outcomes made, holds put, probes looked at."""

from datetime import timedelta

from django.db.models.functions import Now

from entries.models import Entry
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Hold, Run
from retry.runs.backlog import find_due_entries, find_startable_runs, find_undispatched_runs
from retry.worker import execution, run_worker
from tests.support.asking import SCRIPT, queued_entries
from tests.support.servers import wait_until


def outcomes(count: int, do: str, *, kind: str = "scripted", **payload: object) -> list[int]:
    """So many entries of the kind processed just now."""
    ids = queued_entries(count, kind=kind, do=do, **payload)
    for run in find_startable_runs().filter(kind=kind):
        execution.execute(run.pk, worker=f"test:{run.pk.hex}")
    return ids


def tripped(kind: str = "scripted", upstream: str = "") -> Hold:
    """The breaker's hold, with its first probe at once."""
    return holds.trip(kind, upstream, actor=SCRIPT, reason="HTTP 503", probe_after=0)


def probe(upstream: str = "") -> Run:
    """The one under way."""
    hold = Hold.objects.get(lifted_at=None, automatic=True, upstream=upstream)
    assert hold.probe_run_id is not None
    return Run.objects.get(pk=hold.probe_run_id)


def execute(run: Run) -> bool:
    return execution.execute(run.pk, worker="test")


def due() -> None:
    """The time for the next probe has come."""
    Hold.objects.filter(lifted_at=None).update(next_probe_at=Now() - timedelta(seconds=1))


def work() -> None:
    for name in ("default", "bulk"):
        run_worker(name, burst=True)


def settle() -> None:
    """Ticks and work, until three looks in a row have found nothing to do, also not for later in
    the ramp after a hold.
    """
    dispatcher = Dispatcher()
    quiet: list[bool] = []

    def rests() -> bool:
        busy = dispatcher.tick().busy
        quiet.append(
            not busy and not find_undispatched_runs(limit=1) and not find_due_entries(limit=1)
        )
        work()
        return len(quiet) > 3 and all(quiet[-3:])

    wait_until(rests, timeout=30)


def statuses(ids: list[int]) -> set[str]:
    return set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True))
