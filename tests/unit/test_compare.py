"""Which runs count as lost by Redis."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retry.dispatcher.comparison import Verdict, compare
from retry.dispatcher.snapshot import Snapshot, WaitingRun, WorkId

RUN = WaitingRun(uuid4(), "job")
ABSENT, TAKEN = 1.0, 15.0


def verdict(
    *,
    waiting: bool = False,
    taken: bool = False,
    since: float | None = None,
    now: float = 100.0,
) -> Verdict:
    job, none = frozenset({"job"}), frozenset[str]()
    snapshot = Snapshot((RUN,), job if waiting else none, job if taken else none)
    suspects: Mapping[WorkId, float] = {} if since is None else {RUN.id: since}
    return compare(snapshot, suspects=suspects, now=now, absent_seconds=ABSENT, taken_seconds=TAKEN)


def test_one_that_waits_in_a_list_is_where_it_should_be() -> None:
    assert verdict(waiting=True) == Verdict((), {})
    assert verdict(waiting=True, since=0.0) == Verdict((), {}), "and is no longer suspected"


def test_one_that_is_nowhere_is_suspected_first() -> None:
    """It may have been claimed between the two looks."""
    assert verdict() == Verdict((), {RUN.id: 100.0})
    assert verdict(since=99.5) == Verdict((), {RUN.id: 99.5})


@pytest.mark.parametrize("since", [99.0, 0.0])
def test_one_that_stays_away_is_missing(since: float) -> None:
    assert verdict(since=since) == Verdict((RUN.id,), {})


def test_one_that_a_worker_took_gets_more_time() -> None:
    assert verdict(taken=True, since=90.0) == Verdict((), {RUN.id: 90.0})
    assert verdict(taken=True, since=85.0) == Verdict((RUN.id,), {})


def test_another_job_of_the_same_name_does_not_count() -> None:
    snapshot = Snapshot((RUN,), frozenset({"job-1"}), frozenset({"job-2"}))
    found = compare(
        snapshot, suspects={RUN.id: 0.0}, now=100.0, absent_seconds=ABSENT, taken_seconds=TAKEN
    )
    assert found.missing == (RUN.id,)


@given(
    jobs=st.lists(st.sampled_from("abcdef"), unique=True),
    waiting=st.frozensets(st.sampled_from("abcdef")),
    taken=st.frozensets(st.sampled_from("abcdef")),
    now=st.floats(0, 1e6),
)
def test_every_run_is_present_suspected_or_missing(
    jobs: list[str], waiting: frozenset[str], taken: frozenset[str], now: float
) -> None:
    runs = tuple(WaitingRun(UUID(int=number), job) for number, job in enumerate(jobs))
    suspects: dict[WorkId, float] = {run.id: 0.0 for run in runs[::2]}
    found = compare(
        Snapshot(runs, waiting, taken),
        suspects=suspects,
        now=now,
        absent_seconds=ABSENT,
        taken_seconds=TAKEN,
    )
    present = {run.id for run in runs if run.job_id in waiting}
    assert set(found.missing) | found.suspects.keys() | present == {run.id for run in runs}
    assert len(found.missing) + len(found.suspects) + len(present) == len(runs)
    assert set(found.missing) <= suspects.keys(), "nothing is handed over again at first sight"
