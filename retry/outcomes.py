"""Who acts, and what came of it; frozen values without a database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Self
from uuid import UUID

from entries.states import EntryStatus, allowed_statuses

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from entries.sources.sync.report import SyncReport


class Channel(StrEnum):
    ADMIN = "admin"
    API = "api"
    COMMAND = "command"
    SYSTEM = "system"


class Reason(StrEnum):
    """Why an item of a bulk was left alone."""

    NOT_FOUND = "not_found"
    NOT_FAILED = "not_failed"
    NOT_PENDING = "not_pending"
    NOT_DISCARDABLE = "not_discardable"
    NOT_DISCARDED = "not_discarded"
    NOT_SCHEDULED = "not_scheduled"
    NO_SOURCE = "no_source"
    ALREADY_QUEUED = "already_queued"
    ALREADY_RUNNING = "already_running"
    ALREADY_SCHEDULED = "already_scheduled"
    FORBIDDEN = "forbidden"
    UNCHANGED = "unchanged"
    DISCARDED = "discarded"
    OTHER_KIND = "other_kind"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


_ALREADY = {
    EntryStatus.QUEUED: Reason.ALREADY_QUEUED,
    EntryStatus.RUNNING: Reason.ALREADY_RUNNING,
    EntryStatus.SCHEDULED: Reason.ALREADY_SCHEDULED,
}
_NOT = {
    "retry": Reason.NOT_FAILED,
    "wake": Reason.NOT_FAILED,
    "submit": Reason.NOT_PENDING,
    "discard": Reason.NOT_DISCARDABLE,
    "restore": Reason.NOT_DISCARDED,
    "retry_now": Reason.NOT_SCHEDULED,
    "stop": Reason.NOT_SCHEDULED,
    "resubmit": Reason.DISCARDED,
}


def reason_for(status: str | None, *, verb: str, has_source: bool = True) -> Reason | None:
    """Why ``verb`` leaves an entry of that status alone; None where it does not."""
    if status is None:
        return Reason.NOT_FOUND
    if status not in allowed_statuses(verb):
        already = _ALREADY.get(EntryStatus(status))
        return already or _NOT[verb]
    return Reason.NO_SOURCE if verb == "resync" and not has_source else None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked, and through which door. Make one with ``of``, ``command`` or ``system``."""

    label: str
    channel: Channel
    user: "User | None" = None
    request_id: str = ""

    @classmethod
    def from_user(cls, user: "User", *, channel: Channel, request_id: str = "") -> Self:
        return cls(user.get_username()[:150], channel, user, request_id[:64])

    @classmethod
    def command(cls, label: str) -> Self:
        """Whoever may start a command on the server may do everything."""
        return cls(label[:150], Channel.COMMAND)

    @classmethod
    def system(cls, label: str) -> Self:
        return cls(label, Channel.SYSTEM)

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user is not None else None

    def may(self, permission: str) -> bool:
        """Users by their permissions; commands and the system always."""
        return self.user is None or self.user.has_perm(permission)


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one entry: what was asked for (``queued`` in a run, where the verb queues), or
    left alone for a reason.
    """

    entry_id: int
    #: The current one; None where there is no such entry.
    status: EntryStatus | None
    #: The number of the current one; None where the verb does not say.
    attempt: int | None
    run_id: UUID | None = None
    job_id: str | None = None
    reason: Reason | None = None

    @property
    def queued(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """One outcome for every distinct id that was asked for, in id order.

    ``dispatched``: every run has reached Redis. Where it is False the dispatcher hands over the
    rest, so the entries are queued all the same.
    """

    items: tuple[ItemOutcome, ...]
    dispatched: bool

    @property
    def queued(self) -> int:
        return sum(item.queued for item in self.items)

    @property
    def skipped(self) -> Mapping[Reason, int]:
        return Counter(item.reason for item in self.items if item.reason is not None)


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What a sync stored, and how many of the new entries were queued. ``sync_id``: its row in the
    history.
    """

    sync_id: int
    report: "SyncReport"
    queued: int
    dispatched: bool
