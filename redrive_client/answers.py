"""The shapes of answers. Times are text in RFC 3339; ids of operations and runs are UUIDs."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class Counts(TypedDict):
    """Entries by what became of them; they add up to ``total``."""

    total: int
    planned: int
    queued: int
    running: int
    succeeded: int
    failed: int
    scheduled: int
    unchanged: int
    cancelled: int
    skipped: Mapping[str, int]


class Operation(Counts):
    """``rate``: outcomes a second over the last minute. ``eta``: seconds, None if unknown.
    ``held_by``: ids of the holds for which some of it waits.
    """

    operation_id: str
    request_id: str
    action: str
    state: str
    held_by: Sequence[int]
    pause_reason: str
    pause_cause: str
    canary: str
    ramp: Sequence[int]
    ramp_step: int | None
    start_at: str | None
    decided_by: str
    decided_at: str | None
    actor: str
    reason: str
    selection: str
    rate: float
    eta: float | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class OperationSummary(TypedDict):
    operation_id: str
    action: str
    state: str
    actor: str
    reason: str
    selection: str
    total: int
    created_at: str
    finished_at: str | None


class Preview(TypedDict):
    """``eligible``: None where counting took too long, and then ``exact`` is False."""

    total: int
    eligible: int | None
    skipped: Mapping[str, int]
    exact: bool


class Started(Preview):
    operation_id: str
    state: str
    progress_url: str


class Item(TypedDict):
    """What became of an entry. ``reason``: why it was skipped."""

    entry_id: int
    outcome: str
    reason: str | None
    attempt: int | None
    error_class: str
    error_message: str
    ended_at: str | None


class Run(Counts):
    """``held_by``: ids of the holds for which it waits."""

    run_id: str
    operation_id: str | None
    trigger: str
    request_id: str
    actor: str
    reason: str
    kind: str
    source: str | None
    state: str
    dispatched: bool
    held_by: Sequence[int]
    handed_on: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    items: Sequence[Item]


class Queued(TypedDict):
    """``dispatched`` is False where Redis cannot be reached: it starts when Redis is back."""

    entry_id: int
    attempt: int
    run_id: str
    job_id: str
    status: str
    dispatched: bool
    progress_url: str


class Submitted(TypedDict):
    """``results``: one for each entry. ``runs``: those that process what was queued."""

    results: Sequence[Mapping[str, Any]]
    queued: int
    runs: Sequence[Mapping[str, Any]]
    dispatched: bool


class SyncQueued(TypedDict):
    sync_id: int
    state: str
    dry_run: bool
    dispatched: bool
    progress_url: str


class Sync(TypedDict):
    sync_id: int
    source: str
    request_id: str
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
    error: Mapping[str, str] | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class EntrySummary(TypedDict):
    id: int
    kind: str
    source: str | None
    upstream: str
    external_id: str
    title: str
    status: str
    attempt: int
    error: Mapping[str, str] | None
    failed_at: str | None
    next_attempt_at: str | None
    gone_at: str | None
    created_at: str
    updated_at: str


class Entry(EntrySummary):
    content_hash: str
    payload: Mapping[str, Any]
    result: Mapping[str, Any] | None
    attempts: Sequence[Mapping[str, Any]]


class Hold(TypedDict):
    id: int
    kind: str | None
    upstream: str | None
    source: str | None
    automatic: bool
    actor: str
    reason: str
    created_at: str
    ends_at: str | None
    probes: int
    next_probe_at: str | None
    lifted_at: str | None
    lifted_by: str
    lifted_reason: str


class Subscription(TypedDict):
    """``owner``: None where it is for all. Of ``address`` and ``endpoint`` one is None."""

    id: int
    owner: str | None
    events: Sequence[str]
    channel: str
    address: str | None
    endpoint: str | None
    source: str | None
    language: str
    everyones: bool
    active: bool
    created_at: str


class ErrorGroup(TypedDict):
    """``failed``: entries that are failed now; more than that where there are ``failed_more``."""

    id: int
    fingerprint: str
    error_class: str
    message: str
    state: str
    failed: int
    failed_more: bool
    first_seen: str | None
    last_seen: str | None
    kinds: Sequence[str]
    upstreams: Sequence[str]
    owner: str | None
    note: str
    muted_until: str | None
    mute_above: int | None
    resolved_at: str | None
    resolved_by: str
    resolved_operation_id: str | None
    regressed_at: str | None
    proof_operation_id: str | None
