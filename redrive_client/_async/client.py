"""The verbs of the API, one method each."""

import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict, Unpack, cast

from redrive_client import answers
from redrive_client._async.connection import AsyncConnection
from redrive_client.bodies import Filter, body, query, select

Selected = Filter | Iterable[int]
#: Entries that one request takes.
_MOST = 1_000


class Start(TypedDict, total=False):
    """How an operation goes on, as in docs/api.md, "Retry many"."""

    reason: str
    rate_per_second: float
    canary_size: int
    ramp: Iterable[int]
    max_failure_rate: float
    start_at: datetime


class AsyncClient(AsyncConnection):
    """The verbs of a desk. Each raises ``Problem`` where it is refused, and ``NoAnswer``."""

    # Entries

    async def entries(self, **chosen: Any) -> AsyncIterator[answers.EntrySummary]:
        """Yield the entries behind a filter, newest first, as in docs/api.md, "List entries"."""
        async for row in self.pages("entries", query(**chosen)):
            yield cast("answers.EntrySummary", row)

    async def entry(self, entry_id: int) -> answers.Entry:
        return cast("answers.Entry", await self.get(f"entries/{entry_id}"))

    async def submit(
        self,
        entries: Iterable[Mapping[str, Any]],
        *,
        kind: str | None = None,
        source: str | None = None,
        reason: str = "",
    ) -> answers.Submitted:
        """Store and queue up to 1,000 entries. To submit twice is to submit once."""
        sent = body(entries=entries, kind=kind, source=source, reason=reason)
        return cast("answers.Submitted", await self.post("entries", sent, repeatable=True))

    async def submit_all(
        self,
        entries: Iterable[Mapping[str, Any]],
        *,
        kind: str | None = None,
        source: str | None = None,
        reason: str = "",
    ) -> AsyncIterator[answers.Submitted]:
        """Submit any number of entries, and yield the answer about each 1,000 of them."""
        rest = iter(entries)
        while some := list(islice(rest, _MOST)):
            yield await self.submit(some, kind=kind, source=source, reason=reason)

    async def retry(self, entry_id: int, *, reason: str = "") -> answers.Queued:
        sent = body(entry_id=entry_id, reason=reason)
        return cast("answers.Queued", await self.post("retry", sent))

    async def resync(
        self, entry_id: int, *, only_if_changed: bool = False, reason: str = ""
    ) -> answers.Queued:
        sent = body(entry_id=entry_id, only_if_changed=only_if_changed, reason=reason)
        return cast("answers.Queued", await self.post("resync", sent))

    # Many entries: ``entries`` is a filter, or ids

    async def retry_many(self, entries: Selected, **start: Unpack[Start]) -> answers.Started:
        return await self._start("retry/bulk", select(entries, **start))

    async def resync_many(
        self, entries: Selected, *, only_if_changed: bool = False, **start: Unpack[Start]
    ) -> answers.Started:
        return await self._start(
            "resync", select(entries, only_if_changed=only_if_changed, **start)
        )

    async def retry_now(self, entries: Selected, **start: Unpack[Start]) -> answers.Started:
        return await self._start("retry/now", select(entries, **start))

    async def stop_retrying(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return await self._start("retry/stop", select(entries, reason=reason))

    async def discard(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return await self._start("discard", select(entries, reason=reason))

    async def restore(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return await self._start("restore", select(entries, reason=reason))

    async def preview(
        self, entries: Selected, *, verb: str = "retry/bulk", **start: Unpack[Start]
    ) -> answers.Preview:
        """Say what a verb would do, and do nothing."""
        sent = select(entries, dry_run=True, **start)
        return cast("answers.Preview", await self.post(verb, sent, repeatable=True))

    # Operations and runs; ``wait`` waits for them

    async def operations(self, **chosen: Any) -> AsyncIterator[answers.OperationSummary]:
        """Yield operations, newest first: ``state``, ``created_after``, ``created_before``."""
        async for row in self.pages("operations", query(**chosen)):
            yield cast("answers.OperationSummary", row)

    async def operation(self, operation_id: str) -> answers.Operation:
        return cast("answers.Operation", await self.get(f"operations/{operation_id}"))

    async def items(
        self, operation_id: str, *, outcome: str | None = None
    ) -> AsyncIterator[answers.Item]:
        """Yield what became of each entry of an operation."""
        async for row in self.pages(f"operations/{operation_id}/items", query(outcome=outcome)):
            yield cast("answers.Item", row)

    async def pause(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return await self._control(operation_id, "pause", body(reason=reason))

    async def resume(
        self, operation_id: str, *, reason: str = "", overrule_canary: bool = False
    ) -> answers.Operation:
        sent = body(reason=reason, overrule_canary=overrule_canary)
        return await self._control(operation_id, "resume", sent)

    async def cancel(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return await self._control(operation_id, "cancel", body(reason=reason))

    async def approve(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return await self._control(operation_id, "approve", body(reason=reason))

    async def reject(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return await self._control(operation_id, "reject", body(reason=reason))

    async def retry_failed(self, operation_id: str, **start: Unpack[Start]) -> answers.Started:
        """Start an operation from what failed in this one."""
        return await self._start(f"operations/{operation_id}/retry-failed", body(**start))

    async def run(self, run_id: str) -> answers.Run:
        return cast("answers.Run", await self.get(f"runs/{run_id}"))

    # Error groups

    async def errors(self, **chosen: Any) -> AsyncIterator[answers.ErrorGroup]:
        async for row in self.pages("errors", query(**chosen)):
            yield cast("answers.ErrorGroup", row)

    async def error(self, group_id: int) -> answers.ErrorGroup:
        return cast("answers.ErrorGroup", await self.get(f"errors/{group_id}"))

    async def change_error(self, group_id: int, verb: str, **members: Any) -> answers.ErrorGroup:
        """``verb``: acknowledge, note, mute, unmute, resolve or reopen."""
        answer = await self.post(f"errors/{group_id}/{verb}", body(**members))
        return cast("answers.ErrorGroup", answer)

    async def prove(
        self,
        group_id: int,
        *,
        reason: str = "",
        action: str | None = None,
        canary_size: int | None = None,
        rate_per_second: float | None = None,
    ) -> answers.Operation:
        """Retry all of a group behind a canary; it is resolved only if all succeed.

        A second one is refused while the first is under way, also while it is paused.
        """
        sent = body(
            reason=reason, action=action, canary_size=canary_size, rate_per_second=rate_per_second
        )
        path = f"errors/{group_id}/prove"
        return cast("answers.Operation", await self.post(path, sent, key=uuid.uuid4().hex))

    # Sources, holds, status

    async def sync(
        self, source: str, *, dry_run: bool = False, reason: str = ""
    ) -> answers.SyncQueued:
        """Ask for a sync; one that is under way already is answered with."""
        sent = body(dry_run=dry_run, reason=reason)
        answer = await self.post(f"sources/{source}/sync", sent, repeatable=True)
        return cast("answers.SyncQueued", answer)

    async def holds(self, *, standing: bool | None = None) -> AsyncIterator[answers.Hold]:
        async for row in self.pages("holds", query(standing=standing)):
            yield cast("answers.Hold", row)

    async def hold(
        self,
        *,
        kind: str | None = None,
        upstream: str | None = None,
        source: str | None = None,
        reason: str = "",
        ends_at: datetime | None = None,
    ) -> answers.Hold:
        """Put a kind, one upstream of it, or a source on hold."""
        sent = body(kind=kind, upstream=upstream, source=source, reason=reason, ends_at=ends_at)
        return cast("answers.Hold", await self.post("holds", sent))

    async def lift(self, hold_id: int, *, reason: str = "") -> answers.Hold:
        return cast("answers.Hold", await self.post(f"holds/{hold_id}/lift", body(reason=reason)))

    @asynccontextmanager
    async def held(
        self,
        *,
        kind: str | None = None,
        upstream: str | None = None,
        source: str | None = None,
        reason: str = "",
        ends_at: datetime | None = None,
    ) -> AsyncIterator[answers.Hold]:
        """Hold it meanwhile; and lift it at the end, whatever happens in between.

        ``ends_at``: when the desk lifts it, where this script dies before.
        """
        hold = await self.hold(
            kind=kind, upstream=upstream, source=source, reason=reason, ends_at=ends_at
        )
        try:
            yield hold
        finally:
            await self.lift(hold["id"], reason=reason)

    # Subscriptions to notices

    async def subscriptions(self) -> AsyncIterator[answers.Subscription]:
        async for row in self.pages("subscriptions"):
            yield cast("answers.Subscription", row)

    async def subscribe(
        self,
        events: Iterable[str],
        *,
        address: str | None = None,
        endpoint: str | None = None,
        source: str = "",
        language: str | None = None,
        everyones: bool = False,
        for_all: bool = False,
    ) -> answers.Subscription:
        """Have notices sent: mails to an ``address``, or webhooks to an ``endpoint``.

        ``source``: the slug of the only source that they are about; empty: all. ``language``: of
        mails, such as ``de``; None: the project's. Webhooks are in English.
        """
        sent = body(
            events=events,
            address=address,
            endpoint=endpoint,
            source=source,
            language=language,
            everyones=everyones,
            for_all=for_all,
        )
        return cast("answers.Subscription", await self.post("subscriptions", sent))

    async def change_subscription(
        self, subscription_id: int, **members: Any
    ) -> answers.Subscription:
        """Change what is given; the rest stays as it is."""
        sent, path = body(**members), f"subscriptions/{subscription_id}/change"
        return cast("answers.Subscription", await self.post(path, sent, repeatable=True))

    async def unsubscribe(self, subscription_id: int) -> None:
        await self.post(f"subscriptions/{subscription_id}/delete", {})

    async def send_test_notice(self, subscription_id: int) -> None:
        await self.post(f"subscriptions/{subscription_id}/test", {})

    async def status(self) -> dict[str, Any]:
        return await self.get("status")

    async def _start(self, path: str, sent: Mapping[str, Any]) -> answers.Started:
        return cast("answers.Started", await self.post(path, sent, key=uuid.uuid4().hex))

    async def _control(
        self, operation_id: str, verb: str, sent: Mapping[str, Any]
    ) -> answers.Operation:
        answer = await self.post(f"operations/{operation_id}/{verb}", sent, repeatable=True)
        return cast("answers.Operation", answer)
