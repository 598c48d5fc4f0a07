"""The shapes of error groups, and of what people decide about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from retry.api.http.schemas import (
    STORABLE,
    KindName,
    Moment,
    PageQuery,
    ReasonRequest,
    Request,
    Response,
    UpstreamName,
)
from retry.error_groups.overview import GroupFacts
from retry.error_groups.proof import CANARY
from retry.error_groups.samples import Sample
from retry.models import ErrorGroup

State = Literal["open", "acknowledged", "muted", "resolved", "regressed"]


class ErrorQuery(PageQuery):
    """``seen_after``: something of the group failed at this time or later."""

    state: State | None = None
    kind: KindName | None = None
    upstream: UpstreamName | None = None
    fingerprint: Annotated[str, Field(min_length=1, max_length=40), STORABLE] | None = None
    seen_after: Moment | None = None


class AcknowledgeRequest(ReasonRequest):
    """``owner``: the name of the user who takes care of it; you, unless given."""

    owner: Annotated[str, Field(min_length=1, max_length=150), STORABLE] | None = None


class NoteRequest(Request):
    """``text``: replaces the note; empty removes it."""

    text: Annotated[str, Field(max_length=1000), STORABLE]


class MuteRequest(ReasonRequest):
    """One of ``until``, a time, and ``above``, a number of further failures, or both."""

    until: Moment | None = None
    above: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None


class ProveRequest(ReasonRequest):
    """``canary_size`` entries go first; the first failure stops it."""

    action: Literal["retry", "resync"] = "retry"
    canary_size: Annotated[int, Field(ge=1, le=10_000)] = CANARY
    rate_per_second: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None


class ErrorSummary(Response):
    """``failed``: entries that are failed now and that you may see, or more than so many where
    there are ``failed_more``. ``message`` has what varies replaced.
    """

    id: int
    fingerprint: str
    error_class: str
    message: str
    state: State
    failed: int
    failed_more: bool
    first_seen: datetime | None
    last_seen: datetime | None
    kinds: list[str]
    upstreams: list[str]
    owner: str | None
    note: str
    muted_until: datetime | None
    mute_above: int | None
    resolved_at: datetime | None
    resolved_by: str
    resolved_operation_id: UUID | None
    regressed_at: datetime | None
    proof_operation_id: UUID | None

    @classmethod
    def from_group(cls, group: ErrorGroup, facts: GroupFacts) -> Self:
        return cls.model_validate(_summarise(group, facts))


class ErrorDetail(ErrorSummary):
    """``newest``: the entries that failed last. ``suggestion``: the action that fits."""

    newest: list[int]
    traceback: str
    suggestion: Literal["retry", "resync"]

    @classmethod
    def from_sample(cls, group: ErrorGroup, facts: GroupFacts, sample: Sample) -> Self:
        more = {
            "newest": [entry.pk for entry in sample.newest],
            "traceback": sample.attempt.traceback if sample.attempt else "",
            "suggestion": sample.suggestion.value,
        }
        return cls.model_validate(_summarise(group, facts) | more)


class ErrorPage(Response):
    results: list[ErrorSummary]
    next_cursor: str | None


def _summarise(group: ErrorGroup, facts: GroupFacts) -> dict[str, object]:
    kept = ErrorSummary.model_fields.keys() - {
        "failed",
        "failed_more",
        "owner",
        "proof_operation_id",
    }
    values: dict[str, object] = {name: getattr(group, name) for name in kept}
    return values | {
        "failed": facts.count,
        "failed_more": facts.more,
        "first_seen": facts.first_seen,
        "last_seen": facts.last_seen,
        "kinds": _list(facts.kinds),
        "upstreams": _list(facts.upstreams),
        "owner": group.owner.get_username() if group.owner else None,
        "proof_operation_id": group.proof_id,
    }


def _list(names: Sequence[str]) -> list[str]:
    return list(names)
