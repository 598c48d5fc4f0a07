"""One entry misbehaves; the others must not be affected."""

from collections import Counter
from itertools import cycle, islice

from entries.models import Attempt, Entry
from faults import work
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage, wait_until


def connections(stage: Stage) -> Outcome:
    """A transaction left open, autocommit off, settings changed, among thousands."""
    size = 10_000 if stage.long else 2_000
    acts = {number * 100 + 7: act for number, act in enumerate(_LEFTOVERS * (size // 300))}
    payloads = [{"do": acts[n]} if n in acts else {} for n in range(size)]
    ids = work.push("grouped", payloads)
    guilty = [ids[n] for n in acts]
    stage.start_crew(default=0)
    seconds = wait_until(work.is_at_rest, seconds=180, what="all at rest")
    outcome = Outcome(guilty=guilty, recovered=seconds)
    statuses = Counter(Entry.objects.values_list("status", flat=True))
    outcome.expect(statuses["succeeded"] == size - len(guilty), f"ended as {dict(statuses)}")
    messages = Entry.objects.filter(pk__in=guilty).values_list("error_message", flat=True)
    outcome.expect(all(messages), "an entry that left its connection unclean has no error message")
    return outcome


_LEFTOVERS = ("transaction", "autocommit", "settings")


def time_limits(stage: Stage) -> Outcome:
    """Blocked in C, holding the GIL, catching everything: the limit is 3 s."""
    acts = ("block", "gil", "swallow")
    guilty = work.push("one", [{"do": act} for act in acts], prefix="stuck")
    neighbours = work.push("one", [{} for _ in range(300)], prefix="free")
    stage.start_crew(default=1, bulk=1)
    wait_until(lambda: work.is_at_rest(neighbours), seconds=90, what="neighbours at rest")
    wait_until(lambda: work.is_at_rest(guilty), seconds=90, what="the stuck entries end")
    outcome = Outcome(guilty=guilty, allowed=13.0)
    spans = Attempt.objects.filter(entry_id__in=guilty)
    took = [
        (a.ended_at - a.started_at).total_seconds() for a in spans if a.ended_at and a.started_at
    ]
    outcome.recovered = max(took, default=None)
    classes = Counter(Entry.objects.filter(pk__in=guilty).values_list("error_class", flat=True))
    outcome.expect(classes == {"TimeLimitExceeded": len(acts)}, f"ended as {dict(classes)}")
    outcome.expect(spans.count() == len(acts), "a stuck entry was tried on another worker")
    free = set(Entry.objects.filter(pk__in=neighbours).values_list("status", flat=True))
    outcome.expect(free == {"succeeded"}, f"neighbours ended as {free}")
    return outcome


def base_exceptions(stage: Stage) -> Outcome:
    acts = ("keyboard", "cancelled", "generator", "own")
    payloads = [{"do": act} for act in islice(cycle((*acts, "", "", "", "")), 400)]
    ids = work.push("one", payloads)
    guilty = [pk for pk, payload in zip(ids, payloads, strict=True) if payload["do"]]
    stage.start_crew(default=0)
    outcome = Outcome(guilty=guilty, recovered=wait_until(work.is_at_rest, seconds=120))
    ended = Entry.objects.filter(pk__in=guilty).values_list("status", "error_class", "attempt")
    outcome.expect({row[0] for row in ended} == {"failed"}, f"ended as {set(ended)}")
    outcome.expect({row[2] for row in ended} == {1}, "tried more than once")
    outcome.expect("WorkerLost" not in {row[1] for row in ended}, "recorded as WorkerLost")
    traces = Attempt.objects.filter(entry_id__in=guilty, traceback="").count()
    outcome.expect(traces == 0, f"{traces} without a traceback")
    return outcome


def kill_in_a_group(stage: Stage) -> Outcome:
    """One entry kills its worker each time; no other has a lost attempt."""
    payloads: list[dict[str, object]] = [{"seconds": 0.02} for _ in range(40)]
    payloads.insert(20, {"do": "kill"})
    ids = work.push("one", payloads)
    killer = ids[20]
    stage.start_crew(default=0, bulk=1)
    outcome = Outcome(guilty=[killer], recovered=wait_until(work.is_at_rest, seconds=120))
    others = [pk for pk in ids if pk != killer]
    outcome.expect(work.count_lost_attempts(others) == 0, "another entry has a lost attempt")
    ended = Entry.objects.get(pk=killer)
    outcome.expect(ended.error_class == "WorkerLost", f"the killer ended as {ended.error_class}")
    outcome.expect(
        work.count_status("succeeded") == 40, f"{work.count_status('succeeded')} of 40 succeeded"
    )
    return outcome


SCENARIOS = (
    Scenario("connections", "a kind leaves its connection unclean", connections),
    Scenario("time_limits", "work that no signal can stop", time_limits),
    Scenario("base_exceptions", "a kind raises KeyboardInterrupt and similar", base_exceptions),
    Scenario("killer", "an entry kills its worker every time", kill_in_a_group),
)
