"""The shapes of kinds."""

from typing import Any, Self

from entries.kinds.base import Kind
from retry.api.http.schemas import Response


class KindSummary(Response):
    """``payload_schema``: a JSON Schema that describes its payloads, null where the kind has none;
    nothing is refused because of it. ``repairs``: names for ``POST repair``.
    ``automatic_retries``: after transient errors, at most.
    """

    name: str
    description: str
    time_limit: float
    automatic_retries: int
    repairs: list[str]
    payload_schema: dict[str, Any] | None

    @classmethod
    def from_kind(cls, kind: type[Kind]) -> Self:
        schema = kind.payload_schema
        return cls(
            name=kind.name,
            description=kind.description,
            time_limit=kind.time_limit,
            automatic_retries=kind.retry_policy.limit,
            repairs=sorted(kind.repairs),
            payload_schema=None if schema is None else dict(schema),
        )


class KindList(Response):
    """All of them, by name."""

    results: list[KindSummary]
