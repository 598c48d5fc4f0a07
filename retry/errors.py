"""What the service refuses, one class for each reason; no HTTP.

``code`` is stable: scripts compare it. The text is a phrase: English, and shown translated.
"""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import ClassVar
from uuid import UUID

from django.utils.translation import gettext_noop

from entries.phrases import Phrase, phrase
from entries.states import EntryStatus
from retry.reasons import Reason, explain
from retry.sentences import NOT_PERMITTED


class RetryError(Exception):
    """Base of what the service refuses."""

    code: ClassVar[str] = "refused"


class NotPermitted(RetryError):
    """The actor lacks ``permission``; nothing was changed."""

    code: ClassVar[str] = "permission_denied"

    def __init__(self, permission: str) -> None:
        super().__init__(NOT_PERMITTED(permission=permission))
        self.permission = permission


class EntryNotFound(RetryError):
    code: ClassVar[str] = "entry_not_found"

    def __init__(self, entry_id: int) -> None:
        super().__init__(phrase("There is no entry %(entry)s.", entry=str(entry_id)))
        self.entry_id = entry_id


class NotRetryable(RetryError):
    """The entry's status does not allow ``verb``, or it has no source to resync from."""

    code: ClassVar[str] = "not_failed"

    def __init__(
        self, *, reason: Reason, status: EntryStatus, entry_id: int, verb: str = "retry"
    ) -> None:
        super().__init__(explain(reason, status=status, entry_id=entry_id, verb=verb))
        self.reason = reason
        self.status = status
        self.entry_id = entry_id


class EntryChanged(RetryError):
    """The entry does not hold any more what the edit began from; nothing was stored."""

    code: ClassVar[str] = "entry_changed"

    def __init__(self, entry_id: int) -> None:
        super().__init__(
            phrase(
                "The title or payload of entry %(entry)s has changed since you opened it, so "
                "nothing was saved. Reload the page and make your changes again.",
                entry=str(entry_id),
            )
        )
        self.entry_id = entry_id


class ContentRefused(RetryError):
    """The new content cannot be stored, or the entry's kind refuses it; nothing was stored."""

    code: ClassVar[str] = "content_refused"

    def __init__(self, problems: Sequence[str]) -> None:
        """``problems``: what is wrong, in words."""
        super().__init__(phrase("This was not saved: %(problems)s.", problems=tuple(problems)))
        self.problems = tuple(problems)


class TooManyEntries(RetryError):
    code: ClassVar[str] = "too_many_entries"

    def __init__(self, *, limit: int, given: int, submitted: bool = False) -> None:
        """``submitted``: they came along with the request; otherwise they were selected."""
        selected = gettext_noop("At most %(limit)s entries can be selected at once, not %(given)s.")
        pushed = gettext_noop("At most %(limit)s entries can be submitted at once, not %(given)s.")
        said = {"limit": limit, "given": given}
        super().__init__(Phrase(pushed if submitted else selected, values=said))
        self.limit = limit
        self.given = given


class InvalidItems(RetryError):
    """Items that cannot be stored, by their position; nothing of the call was stored."""

    code: ClassVar[str] = "invalid_request"

    def __init__(self, problems: Mapping[tuple[int, str], str]) -> None:
        """``problems``: (index of the item, its member) -> what is wrong."""
        super().__init__(phrase("Some entries are invalid, so none was stored."))
        self.problems = problems

    def as_fields(self, *, limit: int = 50) -> list[dict[str, str]]:
        """Return the first ``limit`` problems as the API names the fields of a body."""
        return [
            {"field": f"entries.{index}.{member}", "message": message}
            for (index, member), message in islice(self.problems.items(), limit)
        ]


class TooManyToExport(RetryError):
    code: ClassVar[str] = "too_many_entries"

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            phrase(
                "A file holds at most %(limit)s entries, and this list has more: "
                "narrow the list by a filter or a search.",
                limit=limit,
            )
        )
        self.limit = limit


class EmptySelection(RetryError):
    """The filter is empty, and ``all`` was not given."""

    code: ClassVar[str] = "empty_selection"

    def __init__(self) -> None:
        super().__init__(phrase('Give ids or a filter; for every entry give "all": true.'))


class NoSuchName(RetryError):
    """A filter names something unknown; ``known``: the names that exist."""

    #: Where others exist, and where none does.
    texts: ClassVar[tuple[str, str]] = (
        gettext_noop("There is no name “%(name)s”. There are: %(known)s."),
        gettext_noop("There is no name “%(name)s”. There are none yet."),
    )

    def __init__(self, name: str = "", *, known: Sequence[str] = ()) -> None:
        some, none = self.texts
        said = {"name": name[:200], "known": ", ".join(known)}
        super().__init__(Phrase(some if known else none, values=said))
        self.known = tuple(known)


class NoSuchSource(NoSuchName):
    code: ClassVar[str] = "unknown_source"
    texts = (
        gettext_noop("There is no source “%(name)s”. There are: %(known)s."),
        gettext_noop("There is no source “%(name)s”. There are none yet."),
    )


class NoSuchKind(NoSuchName):
    code: ClassVar[str] = "unknown_kind"
    texts = (
        gettext_noop("There is no kind “%(name)s”. There are: %(known)s."),
        gettext_noop("There is no kind “%(name)s”. There are none yet."),
    )


class NothingEligible(RetryError):
    """The action would skip the whole selection; nothing was started.

    ``skipped``: how many entries, by reason.
    """

    def __init__(self, *, action: str, skipped: Mapping[Reason, int]) -> None:
        super().__init__(phrase("Every selected entry would be skipped; nothing was started."))
        self.action = action
        self.skipped = skipped


class OperationNotFound(RetryError):
    code: ClassVar[str] = "operation_not_found"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase("There is no operation %(operation)s.", operation=str(operation_id))
        )
        self.operation_id = operation_id


class RunNotFound(RetryError):
    code: ClassVar[str] = "run_not_found"

    def __init__(self, run_id: UUID) -> None:
        super().__init__(phrase("There is no run %(run)s.", run=str(run_id)))
        self.run_id = run_id


class RepairRefused(RetryError):
    """It is no JSON Patch and no kind's repair; nothing was started."""

    code: ClassVar[str] = "invalid_request"


class OperationFinished(RetryError):
    """The operation is completed or cancelled and cannot be changed."""

    code: ClassVar[str] = "operation_finished"

    def __init__(self, *, state: str) -> None:
        super().__init__(phrase("The operation is %(state)s.", state=Phrase(state)))
        self.state = state


class IdempotencyKeyReused(RetryError):
    """The key was used for another request; nothing was started."""

    code: ClassVar[str] = "idempotency_key_reused"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase(
                "This key started operation %(operation)s with another request; nothing was "
                "started. Use a new key.",
                operation=str(operation_id),
            )
        )
        self.operation_id = operation_id


class SourceNotFound(RetryError):
    code: ClassVar[str] = "source_not_found"

    def __init__(self, slug: str, *, known: Sequence[str] = ()) -> None:
        """``known``: existing slugs, as a help against misspelling."""
        super().__init__(phrase("There is no source %(source)s.", source=repr(slug)))
        self.slug = slug
        self.known = tuple(known)


class SourceDisabled(RetryError):
    """A disabled source is not synced."""

    code: ClassVar[str] = "source_disabled"

    def __init__(self, slug: str) -> None:
        super().__init__(
            phrase("The source %(source)s is disabled; enable it first.", source=repr(slug))
        )
        self.slug = slug


class SyncNotFound(RetryError):
    code: ClassVar[str] = "sync_not_found"

    def __init__(self, sync_id: int) -> None:
        super().__init__(phrase("There is no sync %(sync)s.", sync=str(sync_id)))
        self.sync_id = sync_id


class ImportNotFound(RetryError):
    code: ClassVar[str] = "not_found"

    def __init__(self, import_id: UUID) -> None:
        super().__init__(phrase("There is no import %(import)s.", **{"import": str(import_id)}))
        self.import_id = import_id


class UploadRefused(RetryError):
    """The file cannot be imported; it was not kept."""

    code: ClassVar[str] = "invalid_request"


class NotConfirmable(RetryError):
    """The dry run has not finished, was confirmed, or has expired."""


class ViewNotFound(RetryError):
    """There is no such saved view, or it is another user's."""

    code: ClassVar[str] = "view_not_found"

    def __init__(self, view_id: int) -> None:
        super().__init__(phrase("There is no saved view %(view)s.", view=str(view_id)))
        self.view_id = view_id


class ViewRefused(RetryError):
    """A view cannot be saved under this name, or one too many."""

    code: ClassVar[str] = "view_refused"


class QueueUnavailable(RetryError):
    """Redis cannot be reached. Entries queued in PostgreSQL start when it is back."""

    code: ClassVar[str] = "queue_unavailable"
