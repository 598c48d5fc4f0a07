"""Every error of the domain has an HTTP status and a title of its own."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from uuid import uuid4

import pytest

import entries
import retry
from entries.errors import (
    EntriesError,
    FailedElsewhere,
    NeverTried,
    PermanentError,
    SourceError,
    TimeLimitExceeded,
    UnknownKind,
)
from entries.phrases import phrase
from entries.states import EntryStatus
from retry import errors
from retry.access import errors as access_errors
from retry.api.http import problems
from retry.api.http.problems import FROM_ENTRIES, STATUSES, TITLES, Problem
from retry.error_groups import errors as group_errors
from retry.errors import RetryError
from retry.holds import errors as hold_errors
from retry.notices import errors as notice_errors
from retry.operations import errors as operation_errors
from retry.reasons import Reason

#: One of each, as the service raises it.
RAISED: list[RetryError] = [
    errors.NotPermitted("entries.retry_entry"),
    errors.EntryNotFound(7),
    *(
        errors.NotRetryable(reason=reason, status=EntryStatus.RUNNING, entry_id=7)
        for reason in Reason
        if reason is not Reason.NOT_FOUND
    ),
    errors.EntryChanged(7),
    errors.RepairRefused("A repair needs a JSON Patch or the name of a repair."),
    errors.ContentRefused(['the kind page refuses the payload: the payload has no "url"']),
    errors.TooManyEntries(limit=1000, given=1001),
    errors.EmptySelection(),
    errors.TooManyToExport(limit=100_000),
    errors.InvalidItems({(3, "payload"): "is too large"}),
    errors.NoSuchName("planet"),
    errors.NoSuchSource("planet", known=["news", "shop"]),
    errors.NoSuchKind("pag", known=["page"]),
    errors.NothingEligible(action="restore", skipped={Reason.NOT_DISCARDED: 2}),
    errors.OperationNotFound(uuid4()),
    errors.RunNotFound(uuid4()),
    errors.OperationFinished(state="completed"),
    operation_errors.OperationBegun(uuid4()),
    operation_errors.AwaitingApproval(uuid4()),
    operation_errors.NotAwaitingApproval(uuid4()),
    operation_errors.OwnOperation(uuid4()),
    operation_errors.ApprovedAsItIs(uuid4()),
    operation_errors.TooManyOperations(limit=200),
    errors.IdempotencyKeyReused(uuid4()),
    errors.SourceNotFound("news"),
    errors.SourceDisabled("news"),
    errors.SyncNotFound(7),
    errors.ImportNotFound(uuid4()),
    errors.UploadRefused("It has more than 10 bytes."),
    errors.NotConfirmable("It is queued."),
    notice_errors.SubscriptionNotFound(7),
    notice_errors.SubscriptionRefused("Choose at least one event."),
    hold_errors.HoldNotFound(7),
    hold_errors.AlreadyOnHold(phrase("kind %(kind)s", kind="page")),
    hold_errors.EndInThePast(),
    hold_errors.HoldLifted(by="alice"),
    hold_errors.NoUpstreams("page"),
    group_errors.ErrorGroupNotFound(7),
    group_errors.WrongGroupState(state="resolved"),
    group_errors.InvalidMute(),
    group_errors.ProofUnderWay(uuid4()),
    errors.ViewNotFound(7),
    errors.ViewRefused("A view needs a name."),
    access_errors.TokenNotFound(7),
    access_errors.TokenRefused("The name is taken.", field="name"),
    errors.QueueUnavailable("Redis cannot be reached: TimeoutError"),
]


def subclasses(base: type[Exception]) -> Iterator[type[Exception]]:
    """Of the project's own, wherever they are defined."""
    for package in (entries, retry):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    waiting = [base]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            if cls.__module__.split(".")[0] in {"entries", "retry"}:
                yield cls
                waiting.append(cls)


def test_every_refusal_stands_in_the_table_itself() -> None:
    assert set(STATUSES) == {RetryError, *subclasses(RetryError)}


def test_every_error_of_the_entries_is_covered_by_more_than_the_base() -> None:
    for cls in subclasses(EntriesError):
        if cls.__subclasses__():
            continue  # nobody raises it; what it stands for is below
        if cls in {FailedElsewhere, NeverTried}:
            continue  # what attempts failed with; no request is answered with it
        assert any(c in FROM_ENTRIES for c in cls.__mro__ if c is not EntriesError), cls


def test_every_refusal_is_tried_here() -> None:
    assert {type(error) for error in RAISED} == set(STATUSES) - {RetryError}


@pytest.mark.parametrize("error", RAISED, ids=lambda error: f"{type(error).__name__}")
def test_a_refusal_says_what_it_is(error: RetryError) -> None:
    problem = problems.refusal_problem(error)
    assert problem.status == STATUSES[type(error)]
    assert 400 <= problem.status < 600
    body = json.loads(problem.response().content)
    assert body["detail"] == str(error) != ""
    assert body["title"] == TITLES[body["code"]]
    if not isinstance(error, errors.NotRetryable):
        assert body["code"] == error.code


def test_a_conflict_says_the_current_status() -> None:
    error = errors.NotRetryable(
        reason=Reason.ALREADY_RUNNING, status=EntryStatus.RUNNING, entry_id=7
    )
    problem = problems.refusal_problem(error)
    assert (problem.status, problem.code) == (409, "already_running")
    assert problem.extra == {"entry_id": 7, "current_status": "running"}


@pytest.mark.parametrize(
    ("error", "status", "code", "detail"),
    [
        (SourceError("too_large", "It is too large."), 422, "source_error", "It is too large."),
        (UnknownKind("no kind x"), 422, "unknown_kind", "no kind x"),
        (PermanentError("secret"), 500, "internal_error", ""),
        (TimeLimitExceeded("secret"), 500, "internal_error", ""),
        (EntriesError("secret"), 500, "internal_error", ""),
    ],
)
def test_what_is_wrong_with_entries_and_sources(
    error: EntriesError, status: int, code: str, detail: str
) -> None:
    problem = problems.refusal_problem(error)
    assert (problem.status, problem.code, problem.detail) == (status, code, detail)


def test_every_code_has_a_title() -> None:
    codes = {error.code for error in RAISED} | {code for _, code in FROM_ENTRIES.values()}
    assert codes <= TITLES.keys()
    assert {reason.value for reason in Reason} - {"not_found"} <= TITLES.keys()
    for code, title in TITLES.items():
        assert code == code.lower()
        assert title.endswith(".")


def test_a_code_without_a_title_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        Problem(400, "no_such_code").response()


def test_a_subclass_that_nobody_listed_is_answered_like_its_parent() -> None:
    class NotNow(errors.NotRetryable):
        pass

    error = NotNow(reason=Reason.NOT_FAILED, status=EntryStatus.PENDING, entry_id=1)
    assert problems.refusal_problem(error).status == 409
