"""What the service refuses, named per impossible act; no HTTP.

``code`` is stable and is what scripts may compare.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import ClassVar
from uuid import UUID

from entries.states import EntryStatus
from retry.reasons import Reason


class RetryError(Exception):
    """Base of what the service refuses."""

    code: ClassVar[str] = "refused"


class NotPermitted(RetryError):
    """The actor lacks ``permission``; nothing was changed."""

    code: ClassVar[str] = "permission_denied"

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}.")
        self.permission = permission


class EntryNotFound(RetryError):
    code: ClassVar[str] = "entry_not_found"

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"There is no entry {entry_id}.")
        self.entry_id = entry_id


#: What each verb takes.
_ONLY = {
    "retry": "only failed entries can be retried",
    "retry_now": "only scheduled entries can be retried ahead of time",
    "stop": "only scheduled entries have automatic retries to stop",
    "resync": "it can be resynced once it is at rest",
}


class NotRetryable(RetryError):
    """The entry is not in a status from which ``verb`` can take it, or lacks what it needs."""

    code: ClassVar[str] = "not_failed"

    def __init__(
        self, *, reason: Reason, status: EntryStatus, entry_id: int, verb: str = "retry"
    ) -> None:
        if reason is Reason.NO_SOURCE:
            why = f"Entry {entry_id} has no source to be fetched from; retry it instead."
        else:
            why = f"Entry {entry_id} is {status.value}; {_ONLY[verb]}."
        super().__init__(why)
        self.reason = reason
        self.status = status
        self.entry_id = entry_id


class TooManyEntries(RetryError):
    code: ClassVar[str] = "too_many_entries"

    def __init__(self, *, limit: int, given: int, done: str = "chosen") -> None:
        super().__init__(f"At most {limit:,} entries can be {done} at once; these are {given:,}.")
        self.limit = limit
        self.given = given


class InvalidItems(RetryError):
    """Items that cannot become entries, named by their place; nothing of the call was stored."""

    code: ClassVar[str] = "invalid_request"

    def __init__(self, problems: Mapping[tuple[int, str], str]) -> None:
        """``problems``: (index of the item, its member) -> what is wrong with it."""
        super().__init__("Some entries cannot be stored, so none of them was.")
        self.problems = problems

    def described(self, *, limit: int = 50) -> list[dict[str, str]]:
        """As the API names what is wrong with a body, at most ``limit`` of them."""
        return [
            {"field": f"entries.{index}.{member}", "message": message}
            for (index, member), message in islice(self.problems.items(), limit)
        ]


class TooManyToExport(RetryError):
    code: ClassVar[str] = "too_many_entries"

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            f"A file holds at most {limit:,} entries, and these are more: "
            "narrow the list by a filter or a search."
        )
        self.limit = limit


class EmptySelection(RetryError):
    """Nothing narrows the selection and nobody said that everything is meant."""

    code: ClassVar[str] = "empty_selection"

    def __init__(self) -> None:
        super().__init__('Give ids or a filter; to mean every entry, say so with "all": true.')


class NoSuchName(RetryError):
    """A filter names what there is not; ``known``: what there is."""

    what: ClassVar[str] = "name"

    def __init__(self, name: str = "", *, known: Sequence[str] = ()) -> None:
        there_are = f"There are: {', '.join(known)}." if known else "There are none yet."
        super().__init__(f"There is no {self.what} “{name[:200]}”. {there_are}")
        self.known = tuple(known)


class NoSuchSource(NoSuchName):
    code: ClassVar[str] = "unknown_source"
    what: ClassVar[str] = "source"


class NoSuchKind(NoSuchName):
    code: ClassVar[str] = "unknown_kind"
    what: ClassVar[str] = "kind"


class NothingEligible(RetryError):
    """Nothing of the selection is in a state that the action takes; nothing was started.

    ``skipped``: how many are left alone, and why.
    """

    def __init__(self, *, action: str, skipped: Mapping[Reason, int]) -> None:
        super().__init__("Nothing of the selection can be acted on; nothing was started.")
        self.action = action
        self.skipped = skipped


class OperationNotFound(RetryError):
    code: ClassVar[str] = "operation_not_found"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(f"There is no operation {operation_id}.")
        self.operation_id = operation_id


class OperationFinished(RetryError):
    """The operation is completed or cancelled; nothing of it can be changed any more."""

    code: ClassVar[str] = "operation_finished"

    def __init__(self, *, state: str) -> None:
        super().__init__(f"The operation is {state}.")
        self.state = state


class IdempotencyKeyReused(RetryError):
    """The key came with another request before; nothing was started by this one."""

    code: ClassVar[str] = "idempotency_key_reused"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            f"This key has started operation {operation_id} with another request; nothing was "
            "started now. Take a new key for it."
        )
        self.operation_id = operation_id


class SourceNotFound(RetryError):
    code: ClassVar[str] = "source_not_found"

    def __init__(self, slug: str, *, known: Sequence[str] = ()) -> None:
        """``known``: the slugs that there are, where somebody may have misspelt one."""
        super().__init__(f"There is no source {slug!r}.")
        self.slug = slug
        self.known = tuple(known)


class SourceDisabled(RetryError):
    """Nothing is fetched from a source that is not enabled."""

    code: ClassVar[str] = "source_disabled"

    def __init__(self, slug: str) -> None:
        super().__init__(f"The source {slug!r} is disabled; enable it first.")
        self.slug = slug


class SyncNotFound(RetryError):
    code: ClassVar[str] = "sync_not_found"

    def __init__(self, sync_id: int) -> None:
        super().__init__(f"There is no sync {sync_id}.")
        self.sync_id = sync_id


class ImportNotFound(RetryError):
    code: ClassVar[str] = "not_found"

    def __init__(self, import_id: UUID) -> None:
        super().__init__(f"There is no import {import_id}.")
        self.import_id = import_id


class UploadRefused(RetryError):
    """The file is none that can be imported; nothing of it was kept."""

    code: ClassVar[str] = "invalid_request"


class NotConfirmable(RetryError):
    """There is nothing to confirm: not yet, or not any more."""


class HoldNotFound(RetryError):
    code: ClassVar[str] = "hold_not_found"

    def __init__(self, hold_id: int) -> None:
        super().__init__(f"There is no hold {hold_id}.")
        self.hold_id = hold_id


class AlreadyOnHold(RetryError):
    """Somebody has put it on hold before, and their hold still stands."""

    code: ClassVar[str] = "already_on_hold"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what[:1].upper()}{what[1:]} is on hold already.")


class NoUpstreams(RetryError):
    """The kind says of none of its entries what they depend on."""

    code: ClassVar[str] = "no_upstreams"

    def __init__(self, kind: str) -> None:
        super().__init__(f"The kind {kind} has no upstreams; put the kind on hold instead.")


class HoldLifted(RetryError):
    """The hold does not stand any more."""

    code: ClassVar[str] = "hold_lifted"

    def __init__(self, *, by: str) -> None:
        super().__init__(f"The hold was lifted already, by {by}.")


class QueueUnavailable(RetryError):
    """Redis cannot be reached. What was queued in PostgreSQL is handed over when it is back."""

    code: ClassVar[str] = "queue_unavailable"
