"""The shapes of syncs."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field

from retry.api.http.schemas import STORABLE, EntryId, Query, ReasonText, Request, Response, digits
from retry.models import Sync


class SyncRequest(Request):
    dry_run: bool = False
    reason: ReasonText = ""


class SyncResponse(Response):
    """Of a sync that is queued, or of the one that was under way already.

    ``dispatched`` is false where Redis is away: it is queued all the same.
    """

    sync_id: int
    state: str
    dry_run: bool
    dispatched: bool
    progress_url: str


class SyncQuery(Query):
    source: Annotated[str, Field(min_length=1, max_length=80), STORABLE] | None = None
    state: Literal["queued", "running", "succeeded", "failed"] | None = None
    cursor: Annotated[EntryId, BeforeValidator(digits)] | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500)] = 100


class SyncError(Response):
    code: str
    message: str


class SyncSummary(Response):
    """``total`` is null where the source cannot know beforehand. ``queued``: new entries that were
    submitted.
    """

    sync_id: int
    source: str
    actor: str
    reason: str
    dry_run: bool
    state: str
    total: int | None
    created: int
    updated: int
    unchanged: int
    gone: int
    invalid: int
    queued: int
    not_modified: bool
    error: SyncError | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, sync: Sync) -> Self:
        return cls.model_validate(_values(sync))


class SyncDetail(SyncSummary):
    """``sample``: some of what a dry run would change. Both are null for who may not see all the
    entries of the source.
    """

    notes: list[str] | None
    sample: list[dict[str, Any]] | None

    @classmethod
    def told(cls, sync: Sync, *, everything: bool) -> Self:
        more = {
            "notes": sync.notes if everything else None,
            "sample": sync.sample if everything else None,
        }
        return cls.model_validate(_values(sync) | more)


class SyncPage(Response):
    results: list[SyncSummary]
    next_cursor: str | None


def _values(sync: Sync) -> dict[str, Any]:
    error = SyncError(code=sync.error_code, message=sync.error) if sync.error_code else None
    return {
        "sync_id": sync.pk,
        "source": sync.source.slug,
        "actor": sync.actor_label,
        "reason": sync.reason,
        "dry_run": sync.dry_run,
        "state": sync.state,
        "total": sync.total,
        "created": sync.created,
        "updated": sync.updated,
        "unchanged": sync.unchanged,
        "gone": sync.gone,
        "invalid": sync.invalid,
        "queued": sync.queued,
        "not_modified": sync.not_modified,
        "error": error,
        "created_at": sync.created_at,
        "started_at": sync.started_at,
        "finished_at": sync.ended_at,
    }
