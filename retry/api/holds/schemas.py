"""The shapes of holds."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from retry.api.http.schemas import (
    STORABLE,
    EntryId,
    Query,
    ReasonText,
    Request,
    Response,
    StandingHold,
    UpstreamName,
    digits,
)


class HoldRequest(Request):
    """Either ``kind``, perhaps only one ``upstream`` of it, or ``source``, by its slug."""

    kind: Annotated[str, Field(min_length=1, max_length=50), STORABLE] | None = None
    upstream: UpstreamName | None = None
    source: Annotated[str, Field(min_length=1, max_length=80), STORABLE] | None = None
    reason: ReasonText = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.kind is None) == (self.source is None):
            raise ValueError("give either kind or source")
        if self.upstream is not None and self.kind is None:
            raise ValueError("an upstream belongs to a kind: give both")
        return self


class LiftRequest(Request):
    reason: ReasonText = ""


class HoldQuery(Query):
    standing: Literal["true", "false"] | None = None
    cursor: Annotated[EntryId, BeforeValidator(digits)] | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500)] = 100


class HoldResponse(StandingHold):
    lifted_at: datetime | None
    lifted_by: str
    lifted_reason: str


class HoldPage(Response):
    results: list[HoldResponse]
    next_cursor: str | None
