"""The shapes of holds."""

from datetime import datetime
from typing import Literal, Self

from pydantic import model_validator

from retry.api.http.schemas import (
    KindName,
    Moment,
    PageQuery,
    ReasonText,
    Request,
    Response,
    SourceSlug,
    UpstreamName,
)
from retry.models import Hold


class HoldRequest(Request):
    """Either ``kind``, with or without one ``upstream`` of it, or ``source``, by its slug.

    ``ends_at``: when it is lifted by itself.
    """

    kind: KindName | None = None
    upstream: UpstreamName | None = None
    source: SourceSlug | None = None
    reason: ReasonText = ""
    ends_at: Moment | None = None

    @model_validator(mode="after")
    def _check_one_target(self) -> Self:
        if (self.kind is None) == (self.source is None):
            raise ValueError("give either kind or source")
        if self.upstream is not None and self.kind is None:
            raise ValueError("an upstream belongs to a kind: give both")
        return self


class HoldQuery(PageQuery):
    standing: Literal["true", "false"] | None = None


class StandingHold(Response):
    """``automatic``: placed by the breaker, which probes and lifts it."""

    id: int
    kind: str | None
    upstream: str | None
    source: str | None
    automatic: bool
    actor: str
    reason: str
    created_at: datetime
    ends_at: datetime | None
    probes: int
    next_probe_at: datetime | None

    @classmethod
    def from_hold(cls, hold: Hold) -> Self:
        names = cls.model_fields.keys() - {"kind", "upstream", "source", "actor"}
        values = {name: getattr(hold, name) for name in names} | {
            "kind": hold.kind or None,
            "upstream": hold.upstream or None,
            "source": hold.source.slug if hold.source else None,
            "actor": hold.actor_label,
        }
        return cls.model_validate(values)


class HoldResponse(StandingHold):
    lifted_at: datetime | None
    lifted_by: str
    lifted_reason: str


class HoldPage(Response):
    results: list[HoldResponse]
    next_cursor: str | None
