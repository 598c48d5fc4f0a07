"""Many entries under way in one worker: one is slow, one is stuck, or the worker dies with all."""

import os
import random
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from entries.models import Attempt, Entry
from faults import work
from faults.ledger import Execution
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage, wait_until
from retry.operations import control
from retry.operations.progress import read_progress

KIND = "side_by_side"
WORKERS = 2
LIMIT = 16


def slow_upstream(stage: Stage) -> Outcome:
    """A slow upstream among the entries of a quick one: who waits for it?"""
    size, seconds = (2_000, 5.0) if stage.long else (300, 3.0)
    payloads: list[dict[str, object]] = []
    for _ in range(size):
        payloads += [{"to": "slow", "seconds": seconds}, {"to": "quick", "seconds": 0.05}]
    ids = work.make_failed(KIND, payloads)
    quick = ids[1::2]
    stage.start_crew(default=0, bulk=WORKERS)
    work.retry_all(ids)
    wait_until(lambda: Entry.objects.filter(status="running").exists(), seconds=30)
    succeeded = Entry.objects.filter(pk__in=quick, status="succeeded")
    took = wait_until(lambda: succeeded.count() == size, seconds=600, what="the quick ones end")
    outcome = Outcome(recovered=took, allowed=8.0)
    wait_until(work.is_at_rest, seconds=900, what="all at rest")
    executions = [e for each in stage.read().by_entry.values() for e in each]
    slow = set(ids[::2])
    peak = _count_overlapping(e for e in executions if e.entry_id in slow)
    outcome.expect(peak <= LIMIT * WORKERS, f"{peak} requests at once to the slow upstream")
    outcome.expect(peak > LIMIT, f"only {peak} requests at once to the slow upstream")
    outcome.expect(work.count_status("succeeded") == 2 * size, "not all succeeded")
    return outcome


def stuck_among_others(stage: Stage) -> Outcome:
    """One of 32 entries blocks in C: it times out, the others are executed once."""
    payloads: list[dict[str, object]] = [{"seconds": 0.5} for _ in range(31)]
    payloads.insert(16, {"do": "block"})
    ids = work.make_failed(KIND, payloads)
    stage.start_crew(default=0, bulk=1)
    work.retry_all(ids)
    wait_until(lambda: Entry.objects.filter(status="running").exists(), seconds=30)
    outcome = Outcome(guilty=[ids[16]], allowed=20.0)
    outcome.recovered = wait_until(work.is_at_rest, seconds=60)
    ended = Entry.objects.get(pk=ids[16])
    outcome.expect(ended.error_class == "TimeLimitExceeded", f"ended as {ended.error_class}")
    times = {pk: len(each) for pk, each in stage.read().by_entry.items()}
    outcome.expect(times == dict.fromkeys(ids, 1), "an entry was executed more than once")
    outcome.expect(work.count_status("succeeded") == 31, "a neighbour did not succeed")
    return outcome


def kill_with_many(stage: Stage) -> Outcome:
    """SIGKILL to work-horses with up to 32 entries under way each."""
    ids = work.make_failed(KIND, [{"seconds": 0.2} for _ in range(3_000 if stage.long else 600)])
    workers = stage.start_crew(default=0, bulk=WORKERS)[1:]
    work.retry_all(ids)
    wait_until(lambda: Entry.objects.filter(status="running").exists(), seconds=30)
    chance = random.Random(1)
    for _ in range(20 if stage.long else 5):
        seen = _count_succeeded()
        wait_until(lambda: _count_succeeded() > seen + 32 or work.is_at_rest(ids), seconds=60)  # noqa: B023
        horse = chance.choice(workers).find_horse()
        if horse is not None:
            with suppress(ProcessLookupError):
                os.kill(horse, signal.SIGKILL)
    began = time.monotonic()
    wait_until(lambda: work.is_at_rest(ids), seconds=300)
    outcome = Outcome(recovered=time.monotonic() - began)
    outcome.expect(work.count_lost_attempts(ids) > 0, "no kill happened in the middle of an entry")
    outcome.expect(_count_succeeded() == len(ids), "not all succeeded")
    return outcome


def stop_with_many(stage: Stage) -> Outcome:
    """SIGTERM to workers with 64 entries under way: nothing is lost or doubled."""
    ids = work.make_failed(KIND, [{"seconds": 1.0} for _ in range(300)])
    workers = stage.start_crew(default=0, bulk=WORKERS)[1:]
    work.retry_all(ids)
    wait_until(lambda: Entry.objects.filter(status="running").count() >= 64, seconds=30)
    began = time.monotonic()
    for worker in workers:
        worker.send_all(signal.SIGTERM)
    for worker in workers:
        worker.wait(seconds=30)
    outcome = Outcome(recovered=time.monotonic() - began, allowed=5.0)
    left = Entry.objects.filter(status="running").count()
    outcome.expect(left == 0, f"{left} entries were left running")
    stage.start("worker", "bulk")
    wait_until(lambda: work.is_at_rest(ids), seconds=120)
    outcome.expect(not Attempt.objects.filter(status="lost").exists(), "SIGTERM lost an attempt")
    return outcome


def pause_and_cancel(stage: Stage) -> Outcome:
    """An operation is paused with 64 entries under way, resumed, and cancelled: what begins?"""
    ids = work.make_failed(KIND, [{"seconds": 0.3} for _ in range(2_000)])
    stage.start_crew(default=0, bulk=WORKERS)
    operation = work.retry_all(ids)
    wait_until(lambda: _count_succeeded() > 200, seconds=60)
    control.pause(operation.pk, actor=work.PERSON)
    paused = time.monotonic()
    wait_until(lambda: not Entry.objects.filter(status="running").exists(), seconds=30)
    time.sleep(1.0)  # would anything begin now?
    resumed = time.monotonic()
    control.resume(operation.pk, actor=work.PERSON)
    done = _count_succeeded()
    wait_until(lambda: _count_succeeded() > done + 200, seconds=60)
    control.cancel(operation.pk, actor=work.PERSON)
    wait_until(lambda: read_progress(operation.pk).finished, seconds=60)
    begun = [e.began for each in stage.read().by_entry.values() for e in each]
    late = [at - paused for at in begun if paused < at < resumed]
    outcome = Outcome(recovered=max(late, default=0.0), allowed=0.5)
    found = read_progress(operation.pk)
    settled = found.succeeded + found.cancelled
    outcome.expect(settled == len(ids), f"{found.succeeded} + {found.cancelled} of {len(ids)}")
    outcome.expect(found.succeeded == len(begun), f"{len(begun)} executions")
    return outcome


def _count_succeeded() -> int:
    return work.count_status("succeeded")


def _count_overlapping(executions: Iterable[Execution]) -> int:
    """Return how many were under way at once, at most."""
    steps: list[tuple[float, int]] = []
    for execution in executions:
        steps.append((execution.began, 1))
        steps.append((execution.ended or execution.began, -1))
    under_way = peak = 0
    for _, step in sorted(steps):
        under_way += step
        peak = max(peak, under_way)
    return peak


SCENARIOS = (
    Scenario("slow_upstream", "one of two upstreams takes seconds", slow_upstream),
    Scenario("stuck_beside", "one of 32 entries blocks in C", stuck_among_others),
    Scenario("kill_beside", "work-horses are killed with 32 entries each", kill_with_many),
    Scenario("pause_beside", "a pause and a cancellation with 64 entries", pause_and_cancel),
    Scenario("sigterm_beside", "workers are stopped with 64 entries", stop_with_many),
)
