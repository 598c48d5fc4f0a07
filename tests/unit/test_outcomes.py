import dataclasses
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from entries.states import TRANSITIONS, EntryStatus
from retry.errors import EntryNotFound, NotRetryable
from retry.outcomes import Actor, Channel, ItemOutcome, QueueOutcome
from retry.reasons import Reason, reason_for

QUEUED = ItemOutcome(1, EntryStatus.QUEUED, 2, run_id=uuid4(), job_id="entry-1-2-x")
RUNNING = ItemOutcome(2, EntryStatus.RUNNING, 2, reason=Reason.ALREADY_RUNNING)
GONE = ItemOutcome(3, None, 0, reason=Reason.NOT_FOUND)


class TestActor:
    def test_a_user_may_what_the_user_may(self) -> None:
        nobody = Actor.from_user(User(username="alice", is_active=False), channel=Channel.ADMIN)
        somebody = Actor.from_user(User(username="root", is_superuser=True), channel=Channel.API)
        assert not nobody.may("entries.retry_entry")
        assert somebody.may("entries.retry_entry")

    @pytest.mark.parametrize("actor", [Actor.command("backup"), Actor.system("dispatcher")])
    def test_whoever_starts_commands_on_the_server_may_everything(self, actor: Actor) -> None:
        assert actor.may("entries.retry_entry")
        assert actor.user_id is None

    def test_what_it_is_called_fits_its_columns(self) -> None:
        user = User(username="x" * 150)
        actor = Actor.from_user(user, channel=Channel.API, request_id="r" * 500)
        assert len(actor.label) == 150
        assert len(actor.request_id) == 64
        assert len(Actor.command("y" * 500).label) == 150

    def test_cannot_be_changed_afterwards(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            Actor.command("x").label = "y"  # type: ignore[misc]


class TestOutcome:
    def test_counts(self) -> None:
        outcome = QueueOutcome((QUEUED, RUNNING, GONE, GONE), dispatched=True)
        assert outcome.queued == 1
        assert outcome.skipped == {Reason.ALREADY_RUNNING: 1, Reason.NOT_FOUND: 2}

    def test_of_nothing(self) -> None:
        outcome = QueueOutcome((), dispatched=True)
        assert (outcome.queued, dict(outcome.skipped)) == (0, {})


class TestRefusal:
    def test_of_what_is_not_there(self) -> None:
        error = GONE.refusal("retry")
        assert isinstance(error, EntryNotFound)
        assert error.entry_id == 3

    def test_of_what_cannot_be_retried_says_what_it_is(self) -> None:
        error = RUNNING.refusal("retry")
        assert isinstance(error, NotRetryable)
        assert (error.status, error.reason) == (EntryStatus.RUNNING, Reason.ALREADY_RUNNING)
        assert "running" in str(error)

    def test_of_what_was_queued_is_a_mistake(self) -> None:
        with pytest.raises(ValueError, match="was queued"):
            QUEUED.refusal("retry")


class TestReason:
    @pytest.mark.parametrize("verb", ["retry", "submit", "resubmit", "wake", "discard", "restore"])
    @pytest.mark.parametrize("status", list(EntryStatus))
    def test_there_is_one_exactly_where_the_move_is_not_allowed(
        self, verb: str, status: EntryStatus
    ) -> None:
        [move] = [move for move in TRANSITIONS if move.verb == verb]
        assert (reason_for(status, verb=verb) is None) == (status in move.sources)

    def test_for_what_is_not_there(self) -> None:
        assert reason_for(None, verb="retry") is Reason.NOT_FOUND
