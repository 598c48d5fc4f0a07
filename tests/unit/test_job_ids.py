from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retry.runs.job_ids import dispatch_job_id, run_job_id, sync_job_id

RUN = UUID("0123456789abcdef0123456789abcdef")


def test_one_entry_is_found_by_its_id_and_attempt() -> None:
    assert run_job_id(RUN, entries=[(42, 3)]) == "entry-42-3-01234567"


def test_many_say_how_many() -> None:
    assert run_job_id(RUN, entries=[(42, 3), (43, 1)]) == "run-2-0123456789abcdef"


def test_another_run_of_the_same_attempt_has_another_id() -> None:
    """A rescue keeps neither; the old job may still be about."""
    assert run_job_id(uuid4(), entries=[(42, 3)]) != run_job_id(uuid4(), entries=[(42, 3)])


@pytest.mark.parametrize(
    ("dispatches", "job_id"), [(0, "entry-1-1-0"), (1, "entry-1-1-0-1"), (12, "entry-1-1-0-12")]
)
def test_handing_over_again_takes_a_new_id(dispatches: int, job_id: str) -> None:
    assert dispatch_job_id("entry-1-1-0", dispatches=dispatches) == job_id


def test_a_sync_is_named_after_its_source() -> None:
    assert sync_job_id("some-feed", token=RUN) == "sync-some-feed-01234567"


@given(
    run_id=st.uuids(),
    entries=st.lists(st.tuples(st.integers(1, 2**63 - 1), st.integers(1, 2**31)), min_size=1),
    dispatches=st.integers(0, 10**6),
)
def test_rq_takes_every_id_and_the_column_holds_it(
    run_id: UUID, entries: list[tuple[int, int]], dispatches: int
) -> None:
    job_id = dispatch_job_id(run_job_id(run_id, entries=entries), dispatches=dispatches)
    assert set(job_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert len(job_id) <= 100
