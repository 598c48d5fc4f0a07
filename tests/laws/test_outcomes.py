"""Every id that goes in comes out, once, in order, with what became of it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from entries.states import EntryStatus
from retry.models import Run
from retry.reasons import Reason
from retry.service import retry_entries, submit_entries, wake_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

pytestmark = pytest.mark.django_db

ODD = [0, -1, 2**31, 2**62, 2**63 - 1, 2**63, -(2**63) - 1, 10**30]
EXPECTED = {
    EntryStatus.PENDING: Reason.NOT_FAILED,
    EntryStatus.QUEUED: Reason.ALREADY_QUEUED,
    EntryStatus.RUNNING: Reason.ALREADY_RUNNING,
    EntryStatus.SCHEDULED: Reason.ALREADY_SCHEDULED,
    EntryStatus.SUCCEEDED: Reason.NOT_FAILED,
    EntryStatus.FAILED: None,
    EntryStatus.DISCARDED: Reason.NOT_FAILED,
}


@given(
    statuses=st.lists(st.sampled_from(EntryStatus), max_size=8),
    odd=st.lists(st.sampled_from(ODD), max_size=4),
    repeats=st.integers(1, 3),
    shuffle=st.randoms(use_true_random=False),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_mixture(
    statuses: list[EntryStatus],
    odd: list[int],
    repeats: int,
    shuffle: "st.random.Random",  # type: ignore[name-defined]
) -> None:
    made = {
        EntryFactory.create(**{s.value: True} if s is not EntryStatus.PENDING else {}).id: s
        for s in statuses
    }
    asked = [*made, *odd] * repeats
    shuffle.shuffle(asked)
    outcome = retry_entries(asked, actor=SCRIPT)
    assert [item.entry_id for item in outcome.items] == sorted(set(asked))
    for item in outcome.items:
        status = made.get(item.entry_id)
        if status is None:
            assert (item.reason, item.status) == (Reason.NOT_FOUND, None)
            continue
        assert item.reason == EXPECTED[status]
        assert item.queued == (status is EntryStatus.FAILED)
        assert item.status == (EntryStatus.QUEUED if item.queued else status)
        assert (item.run_id is not None) == (item.job_id is not None) == item.queued
    assert outcome.queued + sum(outcome.skipped.values()) == len(outcome.items)
    ids = [entry_id for run in Run.objects.all() for entry_id in run.entry_ids]
    assert len(ids) == len(set(ids))
    Run.objects.all().delete()


@pytest.mark.parametrize("verb", [retry_entries, submit_entries, wake_entries])
def test_none_at_all(verb: type[object]) -> None:
    assert verb([], actor=SCRIPT).items == ()  # type: ignore[call-arg, attr-defined]
    assert not Run.objects.exists()


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    assert reason.words
    assert "_" not in reason.words
