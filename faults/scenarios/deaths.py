"""Processes are killed, stopped and asked to go at the worst moment."""

import os
import random
import signal
import time
from contextlib import suppress
from functools import partial

from django.db import connection

from entries.models import Attempt, Entry
from faults import work
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Process, Stage, until
from retry.models import Run


def killed_horses(stage: Stage) -> Outcome:
    """SIGKILL to work-horses, again and again; each is settled by its worker at once."""
    ids = work.push("one", [{"seconds": 0.05} for _ in range(2_000 if stage.long else 400)])
    workers = stage.crew(default=0)[1:]
    slowest = 0.0
    chance = random.Random(1)
    for _ in range(40 if stage.long else 10):
        until(lambda: _at_work(workers) or work.at_rest(ids), seconds=30)
        busy = _at_work(workers)
        if not busy:
            break
        horse = chance.choice(sorted(busy))
        with suppress(ProcessLookupError):
            os.kill(horse, signal.SIGKILL)
        slowest = max(slowest, until(partial(_settled, busy[horse]), seconds=30))
    until(lambda: work.at_rest(ids), seconds=180)
    outcome = Outcome(recovered=slowest, allowed=2.0)
    outcome.expect(work.lost_attempts(ids) > 0, "no kill struck in the middle of an entry")
    return outcome


def killed_workers(stage: Stage) -> Outcome:
    """SIGKILL to a worker and its horse, as when the machine goes."""
    ids = work.push("one", [{"seconds": 0.05} for _ in range(1_000 if stage.long else 300)])
    workers = stage.crew(default=0, bulk=2)[1:]
    until(lambda: Entry.objects.filter(status="running").count() >= 2, seconds=30)
    victim = workers[0]
    horse = victim.horse()
    held = _running_of(horse) if horse else []
    began = time.monotonic()
    victim.kill()
    until(lambda: _settled(held), seconds=60, what="what it held is taken from it")
    seconds = time.monotonic() - began
    until(lambda: work.at_rest(ids), seconds=180)
    return Outcome(recovered=seconds, allowed=15.0)


def asked_to_go(stage: Stage) -> Outcome:
    """SIGTERM to all processes of every worker, as systemd sends it; others take over."""
    ids = work.push("one", [{"seconds": 0.2} for _ in range(200 if stage.long else 60)])
    rounds = 6 if stage.long else 3
    stage.start("dispatcher")
    slowest = 0.0
    for _ in range(rounds):
        workers = [stage.start("worker", "bulk") for _ in range(2)]
        for worker in workers:
            worker.wait_for("Listening on")
        until(partial(_horses, workers), seconds=30)
        time.sleep(0.5)  # somewhere in the middle of an entry
        began = time.monotonic()
        for worker in workers:
            worker.send_all(signal.SIGTERM)
        for worker in workers:
            worker.wait(seconds=30)
        slowest = max(slowest, time.monotonic() - began)
    stage.start("worker", "bulk")
    until(lambda: work.at_rest(ids), seconds=120)
    outcome = Outcome(recovered=slowest, allowed=5.0)
    outcome.expect(work.lost_attempts(ids) == 0, "an attempt was lost to a polite request")
    return outcome


#: Started in several steps, so that one of them is under way when the dispatcher is stopped.
_MANY = 30_000


def frozen_dispatcher(stage: Stage) -> Outcome:
    """The acting dispatcher is stopped in the middle of a step; clicks must not wait for it."""
    first = stage.start("dispatcher")
    first.wait_for("dispatcher.started")
    until(_beats, seconds=30)
    second = stage.start("dispatcher")
    stage.start("worker", "default").wait_for("Listening on")
    stage.start("worker", "bulk").wait_for("Listening on")
    work.failed("grouped", [{} for _ in range(_MANY)])
    operation = work.retry_failed("grouped")
    until(lambda: Entry.objects.filter(status="queued").exists(), seconds=30)
    first.send(signal.SIGSTOP)
    planned = Run.objects.filter(state="planned").exists()
    clicked = work.failed("one", [{}], prefix="click")
    outcome = Outcome(allowed=20.0)
    outcome.expect(planned, "it was stopped too late to be in the middle of anything")
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '15s'")
    work.click(clicked[0])
    until(lambda: work.at_rest(clicked), seconds=30, what="the click is done")
    outcome.expect(time.monotonic() - began < 5, "a click waited for a frozen dispatcher")
    until(lambda: not Entry.objects.filter(status="failed").exists(), seconds=60)
    outcome.recovered = time.monotonic() - began
    until(work.at_rest, seconds=120)
    operation.refresh_from_db()
    first.send(signal.SIGCONT)
    outcome.expect(second.running, "the standby went away")
    until(lambda: type(operation).objects.get(pk=operation.pk).state == "completed", seconds=30)
    return outcome


def _beats() -> bool:
    from retry.models import Heartbeat

    return Heartbeat.objects.filter(name=Heartbeat.DISPATCHER).exists()


def _horses(workers: list[Process]) -> list[int]:
    return [horse for worker in workers if (horse := worker.horse()) is not None]


def _at_work(workers: list[Process]) -> dict[int, list[int]]:
    """Horses in the middle of an entry, with the attempts that they hold."""
    held = {horse: _running_of(horse) for horse in _horses(workers)}
    return {horse: attempts for horse, attempts in held.items() if attempts}


def _running_of(horse: int) -> list[int]:
    """Entries that an execution by this process holds; its name has the process id in it."""
    found = Attempt.objects.filter(status="running", worker__contains=f":{horse}:")
    return list(found.values_list("pk", flat=True))


def _settled(attempts: list[int]) -> bool:
    return not Attempt.objects.filter(pk__in=attempts, status="running").exists()


SCENARIOS = (
    Scenario("killed_horses", "work-horses are killed in the middle", killed_horses),
    Scenario("killed_workers", "a worker and its horse are killed", killed_workers),
    Scenario("asked_to_go", "SIGTERM to every process of the workers", asked_to_go),
    Scenario("frozen_dispatcher", "the dispatcher is frozen in a step", frozen_dispatcher),
)
