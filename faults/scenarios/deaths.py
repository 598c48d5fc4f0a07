"""Processes are killed, stopped and terminated at the worst moment."""

import os
import random
import signal
import time
from contextlib import suppress
from functools import partial

from django.db import connection
from django.db.models import F

from entries.models import Attempt, Entry
from faults import work
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Process, Stage, wait_until
from retry.models import Run


def kill_work_horses(stage: Stage) -> Outcome:
    """SIGKILL to work-horses, many times; each worker settles its own at once."""
    ids = work.push("one", [{"seconds": 0.05} for _ in range(2_000 if stage.long else 400)])
    workers = stage.start_crew(default=0)[1:]
    slowest = 0.0
    chance = random.Random(1)
    for _ in range(40 if stage.long else 10):
        wait_until(lambda: _find_busy(workers) or work.is_at_rest(ids), seconds=30)
        busy = _find_busy(workers)
        if not busy:
            break
        horse = chance.choice(sorted(busy))
        with suppress(ProcessLookupError):
            os.kill(horse, signal.SIGKILL)
        slowest = max(slowest, wait_until(partial(_is_settled, busy[horse]), seconds=30))
    wait_until(lambda: work.is_at_rest(ids), seconds=180)
    outcome = Outcome(recovered=slowest, allowed=2.0)
    outcome.expect(work.count_lost_attempts(ids) > 0, "no kill happened in the middle of an entry")
    return outcome


def kill_worker(stage: Stage) -> Outcome:
    """SIGKILL to a worker and its work-horse, as when a machine dies."""
    ids = work.push("one", [{"seconds": 0.05} for _ in range(1_000 if stage.long else 300)])
    workers = stage.start_crew(default=0, bulk=2)[1:]
    wait_until(lambda: Entry.objects.filter(status="running").count() >= 2, seconds=30)
    victim = workers[0]
    horse = victim.find_horse()
    held = _find_running(horse) if horse else []
    began = time.monotonic()
    victim.kill()
    wait_until(lambda: _is_settled(held), seconds=60, what="its entries are rescued")
    seconds = time.monotonic() - began
    wait_until(lambda: work.is_at_rest(ids), seconds=180)
    return Outcome(recovered=seconds, allowed=15.0)


def stop_workers(stage: Stage) -> Outcome:
    """SIGTERM to all processes of every worker, as from systemd; others take over."""
    ids = work.push("one", [{"seconds": 0.2} for _ in range(200 if stage.long else 60)])
    rounds = 6 if stage.long else 3
    stage.start("dispatcher")
    slowest = 0.0
    for _ in range(rounds):
        workers = [stage.start("worker", "bulk") for _ in range(2)]
        for worker in workers:
            worker.wait_for("Listening on")
        wait_until(partial(_find_horses, workers), seconds=30)
        time.sleep(0.5)  # somewhere in the middle of an entry
        began = time.monotonic()
        for worker in workers:
            worker.send_all(signal.SIGTERM)
        for worker in workers:
            worker.wait(seconds=30)
        slowest = max(slowest, time.monotonic() - began)
    stage.start("worker", "bulk")
    wait_until(lambda: work.is_at_rest(ids), seconds=120)
    outcome = Outcome(recovered=slowest, allowed=5.0)
    outcome.expect(work.count_lost_attempts(ids) == 0, "SIGTERM lost an attempt")
    return outcome


#: Started in several steps, so that the dispatcher is stopped in the middle of one.
_MANY = 30_000


def freeze_dispatcher(stage: Stage) -> Outcome:
    """The active dispatcher is stopped in the middle of a step; clicks must not wait for it."""
    first = stage.start("dispatcher")
    first.wait_for("dispatcher.started")
    wait_until(_has_heartbeat, seconds=30)
    second = stage.start("dispatcher")
    stage.start("worker", "default").wait_for("Listening on")
    stage.start("worker", "bulk").wait_for("Listening on")
    work.make_failed("grouped", [{} for _ in range(_MANY)])
    operation = work.retry_kind("grouped")
    wait_until(lambda: Entry.objects.filter(status="queued").exists(), seconds=30)
    first.send(signal.SIGSTOP)
    planned = Run.objects.filter(state="planned").exists()
    clicked = work.make_failed("one", [{}], prefix="click")
    outcome = Outcome(allowed=20.0)
    outcome.expect(planned, "it was stopped too late to be in the middle of a step")
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '15s'")
    work.click(clicked[0])
    wait_until(lambda: work.is_at_rest(clicked), seconds=30, what="the click is done")
    outcome.expect(time.monotonic() - began < 5, "a click waited for a frozen dispatcher")
    wait_until(lambda: not Entry.objects.filter(status="failed").exists(), seconds=60)
    outcome.recovered = time.monotonic() - began
    wait_until(work.is_at_rest, seconds=120)
    operation.refresh_from_db()
    first.send(signal.SIGCONT)
    outcome.expect(second.running, "the standby ended")
    wait_until(
        lambda: type(operation).objects.get(pk=operation.pk).state == "completed", seconds=30
    )
    return outcome


def _has_heartbeat() -> bool:
    from retry.models import Heartbeat

    return Heartbeat.objects.filter(name=Heartbeat.DISPATCHER).exists()


def _find_horses(workers: list[Process]) -> list[int]:
    return [horse for worker in workers if (horse := worker.find_horse()) is not None]


def _find_busy(workers: list[Process]) -> dict[int, list[int]]:
    """Return work-horses in the middle of an entry, with their running attempts."""
    held = {horse: _find_running(horse) for horse in _find_horses(workers)}
    return {horse: attempts for horse, attempts in held.items() if attempts}


def _find_running(horse: int) -> list[int]:
    """Return the running attempts of a process, whose id is part of the worker's name."""
    found = Attempt.objects.filter(
        entry__status="running", entry__worker__contains=f":{horse}:", number=F("entry__attempt")
    )
    return list(found.values_list("pk", flat=True))


def _is_settled(attempts: list[int]) -> bool:
    return not Attempt.objects.filter(pk__in=attempts, ended_at=None).exists()


SCENARIOS = (
    Scenario("killed_horses", "work-horses are killed in the middle of an entry", kill_work_horses),
    Scenario("killed_workers", "a worker and its work-horse are killed", kill_worker),
    Scenario("sigterm", "all processes of the workers get SIGTERM", stop_workers),
    Scenario("frozen_dispatcher", "the dispatcher is stopped in a step", freeze_dispatcher),
)
