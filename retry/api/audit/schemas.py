"""The shapes of audit events."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from retry.api.http.schemas import MAX_ID, STORABLE, PageQuery, Response, check_digits
from retry.audit import EDITS, VERBS
from retry.models import AuditEvent

_Id = Annotated[int, Field(ge=1, le=MAX_ID), BeforeValidator(check_digits)]


def _check_verb(verb: str) -> str:
    """An unknown verb is a mistake, not an empty list."""
    if verb not in VERBS and not re.match(EDITS, verb):
        raise ValueError("is no verb of the audit, such as retry, start_retry or submit")
    return verb


_Verb = Annotated[
    str,
    Field(
        min_length=1,
        max_length=30,
        json_schema_extra={"anyOf": [{"enum": [*sorted(VERBS)]}, {"pattern": EDITS}]},
    ),
    STORABLE,
    AfterValidator(_check_verb),
]


class AuditQuery(PageQuery):
    verb: _Verb | None = None
    channel: Literal["admin", "api", "command", "system"] | None = None
    token_id: _Id | None = None
    entry_id: _Id | None = None
    run_id: UUID | None = None
    operation_id: UUID | None = None


class AuditResponse(Response):
    """``before`` and ``after`` are null for an entry that you may not see, and without payloads
    where you may not see those. ``subject``: what else was changed, as ``app.model:id``.
    ``token``: the name of the API token that was sent.
    """

    id: int
    at: datetime
    verb: str
    actor: str
    token_id: int | None
    token: str
    channel: str
    request_id: str
    entry_id: int | None
    run_id: UUID | None
    operation_id: UUID | None
    subject: str
    count: int
    reason: str
    before: Any
    after: Any

    @classmethod
    def from_event(cls, event: AuditEvent) -> Self:
        labels = {"actor": event.actor_label, "token": event.token_label}
        values = {name: getattr(event, name) for name in cls.model_fields.keys() - labels.keys()}
        return cls.model_validate(values | labels)


class AuditPage(Response):
    results: list[AuditResponse]
    next_cursor: str | None
