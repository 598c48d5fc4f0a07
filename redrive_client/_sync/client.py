"""The verbs of the API, one method each."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypedDict, Unpack, cast

from redrive_client import answers
from redrive_client._sync.connection import Connection
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


class Client(Connection):
    """The verbs of a desk. Each raises ``Problem`` where it is refused, and ``NoAnswer``."""

    # Entries

    def entries(self, **chosen: Any) -> Iterator[answers.EntrySummary]:
        """Yield the entries behind a filter, newest first, as in docs/api.md, "List entries"."""
        for row in self.pages("entries", query(**chosen)):
            yield cast("answers.EntrySummary", row)

    def entry(self, entry_id: int) -> answers.Entry:
        return cast("answers.Entry", self.get(f"entries/{entry_id}"))

    def submit(
        self,
        entries: Iterable[Mapping[str, Any]],
        *,
        kind: str | None = None,
        source: str | None = None,
        reason: str = "",
    ) -> answers.Submitted:
        """Store and queue up to 1,000 entries. To submit twice is to submit once."""
        sent = body(entries=entries, kind=kind, source=source, reason=reason)
        return cast("answers.Submitted", self.post("entries", sent, repeatable=True))

    def submit_all(
        self,
        entries: Iterable[Mapping[str, Any]],
        *,
        kind: str | None = None,
        source: str | None = None,
        reason: str = "",
    ) -> Iterator[answers.Submitted]:
        """Submit any number of entries, and yield the answer about each 1,000 of them."""
        rest = iter(entries)
        while some := list(islice(rest, _MOST)):
            yield self.submit(some, kind=kind, source=source, reason=reason)

    def retry(self, entry_id: int, *, reason: str = "") -> answers.Queued:
        sent = body(entry_id=entry_id, reason=reason)
        return cast("answers.Queued", self.post("retry", sent))

    def resync(
        self, entry_id: int, *, only_if_changed: bool = False, reason: str = ""
    ) -> answers.Queued:
        sent = body(entry_id=entry_id, only_if_changed=only_if_changed, reason=reason)
        return cast("answers.Queued", self.post("resync", sent))

    # Many entries: ``entries`` is a filter, or ids

    def retry_many(self, entries: Selected, **start: Unpack[Start]) -> answers.Started:
        return self._start("retry/bulk", select(entries, **start))

    def resync_many(
        self, entries: Selected, *, only_if_changed: bool = False, **start: Unpack[Start]
    ) -> answers.Started:
        return self._start("resync", select(entries, only_if_changed=only_if_changed, **start))

    def retry_now(self, entries: Selected, **start: Unpack[Start]) -> answers.Started:
        return self._start("retry/now", select(entries, **start))

    def stop_retrying(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return self._start("retry/stop", select(entries, reason=reason))

    def discard(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return self._start("discard", select(entries, reason=reason))

    def restore(self, entries: Selected, *, reason: str = "") -> answers.Started:
        return self._start("restore", select(entries, reason=reason))

    def preview(
        self, entries: Selected, *, verb: str = "retry/bulk", **start: Unpack[Start]
    ) -> answers.Preview:
        """Say what a verb would do, and do nothing."""
        sent = select(entries, dry_run=True, **start)
        return cast("answers.Preview", self.post(verb, sent, repeatable=True))

    # Operations and runs; ``wait`` waits for them

    def operations(self, **chosen: Any) -> Iterator[answers.OperationSummary]:
        """Yield operations, newest first: ``state``, ``created_after``, ``created_before``."""
        for row in self.pages("operations", query(**chosen)):
            yield cast("answers.OperationSummary", row)

    def operation(self, operation_id: str) -> answers.Operation:
        return cast("answers.Operation", self.get(f"operations/{operation_id}"))

    def items(self, operation_id: str, *, outcome: str | None = None) -> Iterator[answers.Item]:
        """Yield what became of each entry of an operation."""
        for row in self.pages(f"operations/{operation_id}/items", query(outcome=outcome)):
            yield cast("answers.Item", row)

    def pause(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return self._control(operation_id, "pause", body(reason=reason))

    def resume(
        self, operation_id: str, *, reason: str = "", overrule_canary: bool = False
    ) -> answers.Operation:
        sent = body(reason=reason, overrule_canary=overrule_canary)
        return self._control(operation_id, "resume", sent)

    def cancel(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return self._control(operation_id, "cancel", body(reason=reason))

    def approve(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return self._control(operation_id, "approve", body(reason=reason))

    def reject(self, operation_id: str, *, reason: str = "") -> answers.Operation:
        return self._control(operation_id, "reject", body(reason=reason))

    def retry_failed(self, operation_id: str, **start: Unpack[Start]) -> answers.Started:
        """Start an operation from what failed in this one."""
        return self._start(f"operations/{operation_id}/retry-failed", body(**start))

    def run(self, run_id: str) -> answers.Run:
        return cast("answers.Run", self.get(f"runs/{run_id}"))

    # Error groups

    def errors(self, **chosen: Any) -> Iterator[answers.ErrorGroup]:
        for row in self.pages("errors", query(**chosen)):
            yield cast("answers.ErrorGroup", row)

    def error(self, group_id: int) -> answers.ErrorGroup:
        return cast("answers.ErrorGroup", self.get(f"errors/{group_id}"))

    def change_error(self, group_id: int, verb: str, **members: Any) -> answers.ErrorGroup:
        """``verb``: acknowledge, note, mute, unmute, resolve or reopen."""
        answer = self.post(f"errors/{group_id}/{verb}", body(**members))
        return cast("answers.ErrorGroup", answer)

    def prove(
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
        return cast("answers.Operation", self.post(path, sent, key=uuid.uuid4().hex))

    # Sources, holds, status

    def sync(self, source: str, *, dry_run: bool = False, reason: str = "") -> answers.SyncQueued:
        """Ask for a sync; one that is under way already is answered with."""
        sent = body(dry_run=dry_run, reason=reason)
        answer = self.post(f"sources/{source}/sync", sent, repeatable=True)
        return cast("answers.SyncQueued", answer)

    def holds(self, *, standing: bool | None = None) -> Iterator[answers.Hold]:
        for row in self.pages("holds", query(standing=standing)):
            yield cast("answers.Hold", row)

    def hold(
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
        return cast("answers.Hold", self.post("holds", sent))

    def lift(self, hold_id: int, *, reason: str = "") -> answers.Hold:
        return cast("answers.Hold", self.post(f"holds/{hold_id}/lift", body(reason=reason)))

    @contextmanager
    def held(
        self,
        *,
        kind: str | None = None,
        upstream: str | None = None,
        source: str | None = None,
        reason: str = "",
        ends_at: datetime | None = None,
    ) -> Iterator[answers.Hold]:
        """Hold it meanwhile; and lift it at the end, whatever happens in between.

        ``ends_at``: when the desk lifts it, where this script dies before.
        """
        hold = self.hold(
            kind=kind, upstream=upstream, source=source, reason=reason, ends_at=ends_at
        )
        try:
            yield hold
        finally:
            self.lift(hold["id"], reason=reason)

    # Subscriptions to notices

    def subscriptions(self) -> Iterator[answers.Subscription]:
        for row in self.pages("subscriptions"):
            yield cast("answers.Subscription", row)

    def subscribe(
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
        return cast("answers.Subscription", self.post("subscriptions", sent))

    def change_subscription(self, subscription_id: int, **members: Any) -> answers.Subscription:
        """Change what is given; the rest stays as it is."""
        sent, path = body(**members), f"subscriptions/{subscription_id}/change"
        return cast("answers.Subscription", self.post(path, sent, repeatable=True))

    def unsubscribe(self, subscription_id: int) -> None:
        self.post(f"subscriptions/{subscription_id}/delete", {})

    def send_test_notice(self, subscription_id: int) -> None:
        self.post(f"subscriptions/{subscription_id}/test", {})

    def status(self) -> dict[str, Any]:
        return self.get("status")

    def _start(self, path: str, sent: Mapping[str, Any]) -> answers.Started:
        return cast("answers.Started", self.post(path, sent, key=uuid.uuid4().hex))

    def _control(self, operation_id: str, verb: str, sent: Mapping[str, Any]) -> answers.Operation:
        answer = self.post(f"operations/{operation_id}/{verb}", sent, repeatable=True)
        return cast("answers.Operation", answer)
