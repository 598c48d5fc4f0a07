import pytest

from entries.states import (
    ACTIVE,
    RESTING,
    TRANSITIONS,
    AttemptStatus,
    EntryStatus,
    find_allowed_statuses,
)


def test_every_status_is_either_at_work_or_at_rest() -> None:
    assert set(EntryStatus) == ACTIVE | RESTING
    assert not ACTIVE & RESTING
    assert {EntryStatus.QUEUED, EntryStatus.RUNNING} == ACTIVE


def test_every_verb_stands_in_the_table_once() -> None:
    verbs = [move.verb for move in TRANSITIONS]
    assert len(verbs) == len(set(verbs))
    for move in TRANSITIONS:
        assert find_allowed_statuses(move.verb) == move.sources
        assert move.sources
        assert move.targets


def test_only_what_failed_is_retried() -> None:
    assert find_allowed_statuses("retry") == {EntryStatus.FAILED}


def test_no_move_leads_nowhere() -> None:
    assert [move.verb for move in TRANSITIONS if move.sources & move.targets] == []


def test_an_unknown_verb() -> None:
    with pytest.raises(KeyError, match="explode"):
        find_allowed_statuses("explode")


@pytest.mark.parametrize("status", [*EntryStatus, *AttemptStatus])
def test_a_status_fits_its_column(status: str) -> None:
    assert len(status) <= 12
    assert status == status.lower()
