"""Who acts, and what a verb did; frozen values that need no database."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self
from uuid import UUID

from entries.phrases import phrase
from entries.request_ids import get_id
from entries.states import EntryStatus
from retry.errors import EntryNotFound, NotPermitted, NotRetryable, RetryError
from retry.reasons import Reason

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from entries.sources.sync.report import SyncReport


class Channel(StrEnum):
    ADMIN = "admin"
    API = "api"
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Reach:
    """What a token leaves of its user's rights; it never adds to them. None: all that there are.

    ``scopes`` are the token's own names, ``permissions`` what they stand for, ``sources`` ids.
    ``known``: by permission, the scope that has it; for the words of a refusal.
    """

    scopes: frozenset[str] | None = None
    permissions: frozenset[str] | None = None
    sources: frozenset[int] | None = None
    known: Mapping[str, str] = field(default_factory=dict, compare=False)

    def allows(self, permission: str) -> bool:
        return self.permissions is None or permission in self.permissions


@dataclass(frozen=True, slots=True)
class UsedToken:
    """The API token with which a user acts, for the audit."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and over which channel: ``from_user``, ``command`` or ``system`` make one."""

    label: str
    channel: Channel
    user: "User | None" = None
    request_id: str = ""
    reach: Reach = Reach()
    token: UsedToken | None = None

    @classmethod
    def from_user(
        cls,
        user: "User",
        *,
        channel: Channel,
        request_id: str = "",
        reach: Reach = Reach(),
        token: UsedToken | None = None,
    ) -> Self:
        return cls(user.get_username()[:150], channel, user, request_id[:64], reach, token)

    @classmethod
    def command(cls, label: str) -> Self:
        """Return the actor of a command; who may run one on the server may do everything."""
        return cls(label[:150], Channel.COMMAND, request_id=get_id()[:64])

    @classmethod
    def system(cls, label: str) -> Self:
        return cls(label, Channel.SYSTEM)

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user is not None else None

    @property
    def sources(self) -> frozenset[int] | None:
        """The ids of the only sources whose entries there are for the actor's token; None: all."""
        return self.reach.sources

    def may(self, permission: str) -> bool:
        """Return whether the actor has the permission; commands and the system have all.

        A token has those of its user's that are in its scopes.
        """
        return self.reach.allows(permission) and self._holds(permission)

    def require(self, permission: str) -> None:
        """Raise ``NotPermitted`` unless the actor holds ``permission``."""
        if self.may(permission):
            return
        scope = self.reach.known.get(permission)
        if scope is None or self.reach.allows(permission) or not self._holds(permission):
            raise NotPermitted(permission)
        needed = phrase(
            "%(permission)s, for which the token lacks the scope %(scope)s",
            permission=permission,
            scope=scope,
        )
        raise NotPermitted(needed)

    def _holds(self, permission: str) -> bool:
        return self.user is None or self.user.has_perm(permission)

    def require_scope(self, scope: str) -> None:
        """Raise ``NotPermitted`` for a token without ``scope``: for verbs that need no more of a
        person than to see something.
        """
        if self.reach.scopes is not None and scope not in self.reach.scopes:
            raise NotPermitted(phrase("of the scope %(scope)s", scope=str(scope)))


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What a verb did to one entry: as requested (``queued`` in a run, where it queues), or
    nothing, for a reason.
    """

    entry_id: int
    #: After the verb; None where there is no such entry.
    status: EntryStatus | None
    #: The number of the current attempt; None where the verb does not tell.
    attempt: int | None
    run_id: UUID | None = None
    job_id: str | None = None
    reason: Reason | None = None

    @property
    def queued(self) -> bool:
        return self.reason is None

    def refusal(self, verb: str) -> RetryError:
        """The error that says why ``verb`` left this one entry alone.

        Raises ``ValueError`` where it did not.
        """
        if self.reason is None:
            raise ValueError("the item was queued: nothing refused it")
        if self.reason is Reason.NOT_FOUND or self.status is None:
            return EntryNotFound(self.entry_id)
        return NotRetryable(
            reason=self.reason, status=self.status, entry_id=self.entry_id, verb=verb
        )


@dataclass(frozen=True, slots=True)
class QueueOutcome:
    """One outcome for every distinct id requested, in id order.

    ``dispatched``: every run has reached Redis. Where that is False the entries are queued as well,
    and the dispatcher hands over the remaining runs.
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
    """What a sync stored, and how many of the new entries were queued.

    ``sync_id``: its row in the history.
    """

    sync_id: int
    report: "SyncReport"
    queued: int
    dispatched: bool
