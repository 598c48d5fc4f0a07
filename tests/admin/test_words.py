"""Outcomes and refusals in words; every error of the domain has some."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib import messages

from entries.admin.display import format_duration
from entries.errors import EntriesError, SourceError
from entries.phrases import phrase
from entries.states import EntryStatus
from retry import errors
from retry.access import errors as access_errors
from retry.admin.shared.messages import describe_refusal, describe_selection, explain_no_verb
from retry.error_groups import errors as group_errors
from retry.holds import errors as hold_errors
from retry.notices import errors as notice_errors
from retry.operations import errors as operation_errors
from retry.outcomes import ItemOutcome, QueueOutcome
from retry.reasons import Reason

MADE: dict[type[Exception], Exception] = {
    errors.NotPermitted: errors.NotPermitted("entries.retry_entry"),
    errors.EntryNotFound: errors.EntryNotFound(7),
    errors.NotRetryable: errors.NotRetryable(
        reason=Reason.ALREADY_RUNNING, status=EntryStatus.RUNNING, entry_id=7
    ),
    errors.EntryChanged: errors.EntryChanged(7),
    errors.ContentRefused: errors.ContentRefused(["the title must have at most 500 characters"]),
    errors.TooManyEntries: errors.TooManyEntries(limit=1000, given=1001),
    errors.NoSuchName: errors.NoSuchName("planet", known=["news"]),
    errors.NoSuchSource: errors.NoSuchSource("planet", known=["news", "shop"]),
    errors.NoSuchKind: errors.NoSuchKind("pag", known=["page"]),
    errors.NothingEligible: errors.NothingEligible(
        action="restore", skipped={Reason.NOT_DISCARDED: 2, Reason.ALREADY_RUNNING: 1}
    ),
    errors.OperationNotFound: errors.OperationNotFound(UUID(int=1)),
    errors.OperationFinished: errors.OperationFinished(state="completed"),
    errors.IdempotencyKeyReused: errors.IdempotencyKeyReused(UUID(int=1)),
    errors.InvalidItems: errors.InvalidItems({(0, "payload"): "is too large"}),
    errors.TooManyToExport: errors.TooManyToExport(limit=100_000),
    errors.SourceNotFound: errors.SourceNotFound("planet"),
    errors.SourceDisabled: errors.SourceDisabled("planet"),
    errors.SyncNotFound: errors.SyncNotFound(7),
    errors.ImportNotFound: errors.ImportNotFound(UUID(int=1)),
    errors.UploadRefused: errors.UploadRefused("It has more than 10 bytes."),
    errors.NotConfirmable: errors.NotConfirmable("It is queued."),
    hold_errors.HoldNotFound: hold_errors.HoldNotFound(7),
    hold_errors.AlreadyOnHold: hold_errors.AlreadyOnHold(phrase("kind %(kind)s", kind="page")),
    hold_errors.HoldLifted: hold_errors.HoldLifted(by="alice"),
    hold_errors.NoUpstreams: hold_errors.NoUpstreams("page"),
    group_errors.ErrorGroupNotFound: group_errors.ErrorGroupNotFound(7),
    group_errors.WrongGroupState: group_errors.WrongGroupState(state="resolved"),
    group_errors.ProofUnderWay: group_errors.ProofUnderWay(UUID(int=1)),
    errors.RunNotFound: errors.RunNotFound(UUID(int=1)),
    access_errors.TokenNotFound: access_errors.TokenNotFound(7),
    access_errors.TokenRefused: access_errors.TokenRefused("A token needs a name."),
    notice_errors.SubscriptionNotFound: notice_errors.SubscriptionNotFound(7),
    operation_errors.TooManyOperations: operation_errors.TooManyOperations(limit=20),
    errors.ViewNotFound: errors.ViewNotFound(7),
    errors.ViewRefused: errors.ViewRefused("A view needs a name."),
    errors.RepairRefused: errors.RepairRefused("A repair needs a JSON Patch."),
    **{
        cls: cls(UUID(int=1))
        for cls in (
            operation_errors.OperationBegun,
            operation_errors.AwaitingApproval,
            operation_errors.NotAwaitingApproval,
            operation_errors.OwnOperation,
            operation_errors.ApprovedAsItIs,
        )
    },
    SourceError: SourceError("unreachable", "The source cannot be reached."),
}


def every(cls: type[Exception]) -> Iterator[type[Exception]]:
    yield cls
    for found in cls.__subclasses__():
        yield from every(found)


@pytest.mark.parametrize("cls", [*every(errors.RetryError), SourceError, EntriesError])
def test_every_refusal_is_a_sentence(cls: type[Exception]) -> None:
    error = MADE.get(cls) or cls()
    assert isinstance(error, errors.RetryError | EntriesError)
    worded = describe_refusal(error)
    assert worded.level == messages.ERROR
    assert worded.text[0].isupper()
    assert worded.text.rstrip()[-1] in ".!"
    assert "Error" not in worded.text, "names of classes are for logs"


def outcome(*reasons: Reason | None, dispatched: bool = True) -> QueueOutcome:
    items = (
        ItemOutcome(number, EntryStatus.QUEUED, 1, reason=reason)
        for number, reason in enumerate(reasons)
    )
    return QueueOutcome(tuple(items), dispatched)


@pytest.mark.parametrize(
    ("given", "level", "text"),
    [
        (outcome(None, None, None), messages.INFO, "3 entries queued."),
        (
            outcome(None, None, None, Reason.ALREADY_RUNNING),
            messages.INFO,
            "3 entries queued, 1 skipped (already running).",
        ),
        (
            outcome(Reason.NOT_FOUND, Reason.NOT_FAILED, Reason.NOT_FAILED),
            messages.WARNING,
            "No entries queued, 3 skipped (2 not failed, 1 not found).",
        ),
        (outcome(*[None] * 1000), messages.INFO, "1,000 entries queued."),
    ],
)
def test_an_outcome_is_counted_in_words(given: QueueOutcome, level: int, text: str) -> None:
    (worded,) = describe_selection(given)
    assert (worded.level, worded.text) == (level, text)


def test_what_waits_for_redis_is_a_warning_beside_the_outcome() -> None:
    _, warning = describe_selection(outcome(None, dispatched=False))
    assert warning.level == messages.WARNING
    assert "it will start by itself" in warning.text


@pytest.mark.parametrize("status", [s for s in EntryStatus if s is not EntryStatus.FAILED])
def test_every_status_says_why_it_cannot_be_retried(status: EntryStatus) -> None:
    assert explain_no_verb(status).endswith(".")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.5, "9.5 s"), (59.4, "59 s"), (61, "1 min 01 s"), (7620, "2 h 07 min")],
)
def test_durations(seconds: float, words: str) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert format_duration(begin, begin + timedelta(seconds=seconds)) == words
    assert format_duration(begin, None) == ""
