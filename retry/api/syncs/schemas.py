"""The shapes of syncs."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from retry.api.http.links import build_sync_address
from retry.api.http.schemas import PageQuery, ReasonRequest, Response, SourceSlug, describe_choices
from retry.models import Sync, SyncState


class SyncRequest(ReasonRequest):
    dry_run: bool = False


class SyncResponse(Response):
    """The sync that was queued, or the one that was already under way.

    ``dispatched`` is false where Redis cannot be reached: it is queued all the same.
    """

    sync_id: int
    state: Annotated[str, describe_choices(SyncState)]
    dry_run: bool
    dispatched: bool
    progress_url: str

    @classmethod
    def from_sync(cls, sync: Sync) -> Self:
        return cls(
            sync_id=sync.pk,
            state=sync.state,
            dry_run=sync.dry_run,
            dispatched=sync.dispatched,
            progress_url=build_sync_address(sync.pk),
        )


class SyncQuery(PageQuery):
    source: SourceSlug | None = None
    state: Literal["queued", "running", "succeeded", "failed"] | None = None


class SyncError(Response):
    code: str
    message: str


class SyncSummary(Response):
    """``total`` is null where the source cannot tell beforehand. ``queued``: new entries that were
    submitted. ``request_id``: of the request that asked for it, empty where none did.
    """

    sync_id: int
    source: str
    request_id: str
    actor: str
    reason: str
    dry_run: bool
    state: Annotated[str, describe_choices(SyncState)]
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
    def from_sync(cls, sync: Sync) -> Self:
        return cls.model_validate(_summarise(sync))


class SyncDetail(SyncSummary):
    """``sample``: some of what a dry run would change. ``notes`` and ``sample`` are null for
    callers who may not see every entry of the source.
    """

    notes: list[str] | None
    sample: list[dict[str, Any]] | None

    @classmethod
    def from_sync_and_view(cls, sync: Sync, *, everything: bool) -> Self:
        more = {
            "notes": sync.notes if everything else None,
            "sample": sync.sample if everything else None,
        }
        return cls.model_validate(_summarise(sync) | more)


class SyncPage(Response):
    results: list[SyncSummary]
    next_cursor: str | None


def _summarise(sync: Sync) -> dict[str, Any]:
    error = SyncError(code=sync.error_code, message=sync.error) if sync.error_code else None
    return {
        "sync_id": sync.pk,
        "source": sync.source.slug,
        "request_id": sync.request_id,
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
