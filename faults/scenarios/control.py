"""Operations, holds and fairness while something fails."""

import time
from functools import partial
from pathlib import Path

from entries.models import Entry
from faults import work
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage, wait_until
from retry.holds import control as holds
from retry.models import Hold, Operation
from retry.operations import control as operations


def canary_again(stage: Stage) -> Outcome:
    """Everything still fails: only a canary may fail after each resume."""
    ids = work.make_failed("one", [{"do": "fail"} for _ in range(160)])
    operation = work.retry_all(ids, canary_size=20)
    stage.start_crew(default=0)
    outcome = Outcome(guilty=ids)
    for round_ in (1, 2, 3):
        wait_until(lambda: _state(operation) == "paused", seconds=60, what="it pauses itself")
        tried = Entry.objects.filter(pk__in=ids, attempt=2).count()
        outcome.expect(tried == 20 * round_, f"{tried} had been tried after canary {round_}")
        if round_ < 3:
            operations.resume(operation.pk, actor=work.PERSON)
    return outcome


def failure_limit(stage: Stage) -> Outcome:
    """Without a pace, the number of failures before the limit pauses is bounded."""
    ids = work.make_failed(
        "grouped", [{"do": "fail"} for _ in range(20_000 if stage.long else 5_000)]
    )
    operation = work.retry_all(ids, max_failure_rate=0.1)
    stage.start_crew(default=0)
    seconds = wait_until(lambda: _state(operation) == "paused", seconds=60)
    wait_until(lambda: not Entry.objects.filter(status="running").exists(), seconds=30)
    outcome = Outcome(guilty=ids, recovered=seconds)
    tried = Entry.objects.filter(pk__in=ids, attempt=2).count()
    outcome.expect(tried <= 200, f"{tried} were started before it paused")
    operations.cancel(operation.pk, actor=work.PERSON)
    wait_until(work.is_at_rest, seconds=60)
    return outcome


def one_dead_upstream(stage: Stage) -> Outcome:
    """One upstream is down; work for the healthy one is not delayed."""
    Path(f"{stage.ledger_path}.down").touch()
    stage.start_crew(default=1)
    slowest = 0.0
    for number in range(30 if stage.long else 10):
        work.push("upstreamed", [{"to": "dead"} for _ in range(10)], prefix=f"dead-{number}")
        (good,) = work.push("upstreamed", [{"to": "good"}], prefix=f"good-{number}")
        seconds = wait_until(partial(work.is_at_rest, [good]), seconds=60)
        slowest = max(slowest, seconds)
        time.sleep(1)
    outcome = Outcome(recovered=slowest, allowed=5.0)
    held = Hold.objects.filter(lifted_at=None)
    outcome.expect({hold.upstream for hold in held} == {"dead"}, f"on hold: {list(held)}")
    Path(f"{stage.ledger_path}.down").unlink()
    wait_until(lambda: not Entry.objects.exclude(status="succeeded").exists(), seconds=180)
    return outcome


def click_behind_a_backlog(stage: Stage) -> Outcome:
    """3,000 entries wait for a hold; it is lifted, and then a user clicks."""
    holds.hold_kind("one", actor=work.PERSON)
    backlog = work.push("one", [{"seconds": 0.01} for _ in range(3_000)], prefix="backlog")
    stage.start_crew(default=1, bulk=1)
    (clicked,) = work.make_failed("one", [{}], prefix="click")
    holds.lift(Hold.objects.get(lifted_at=None).pk, actor=work.PERSON)
    wait_until(
        lambda: Entry.objects.filter(pk__in=backlog, status="succeeded").exists(), seconds=60
    )
    work.click(clicked)
    outcome = Outcome(
        recovered=wait_until(lambda: work.is_at_rest([clicked]), seconds=120), allowed=2.0
    )
    wait_until(work.is_at_rest, seconds=240)
    return outcome


def _state(operation: Operation) -> str:
    return Operation.objects.get(pk=operation.pk).state


SCENARIOS = (
    Scenario("canary", "a failed canary is resumed while everything still fails", canary_again),
    Scenario("failure_limit", "everything fails at full speed, with a limit", failure_limit),
    Scenario("upstream", "one upstream is down, another works", one_dead_upstream),
    Scenario("click", "a click behind a released backlog", click_behind_a_backlog),
)
