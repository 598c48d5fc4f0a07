"""Errors of entries and sources; pure, no HTTP and no database."""

from collections.abc import Mapping
from typing import Any


class EntriesError(Exception):
    """Base of the domain's errors."""


class TransientError(EntriesError):
    """Trying the same entry again later may help: a time-out, a 503, a refused connection.

    ``retry_after`` is the wait that the other side asked for, in seconds. ``result`` is a JSON
    object that is stored with the attempt.
    """

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        result: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.result = result


class PermanentError(EntriesError):
    """Trying again with the same input cannot help: a 404, an invalid payload.

    ``result``: as in ``TransientError``.
    """

    def __init__(self, message: str = "", *, result: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.result = result


class FailedElsewhere(EntriesError):
    """The work was done by another system and failed there.

    ``info`` is the ``ErrorInfo`` that is stored, as if the error had been raised here.
    """

    def __init__(
        self, message: str, *, info: object, result: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.info = info
        self.result = result


class TimeLimitExceeded(TransientError):
    """The kind's time limit ran out before ``process`` returned."""


class WorkerLost(EntriesError):
    """The worker died or stopped answering while it ran the entry."""


class NeverTried(EntriesError):
    """A person stopped the entry before its first attempt."""


class UncleanConnection(PermanentError):
    """``process`` returned and left something behind on its database connection."""


class UnknownKind(EntriesError):
    """No kind is registered under that name."""


class UnknownSourceKind(EntriesError):
    """No kind of source is registered under that name."""


class InvalidKind(EntriesError):
    """A class breaks the contract of kinds or of kinds of source."""


class SourceError(EntriesError):
    """The source cannot be read or makes no sense.

    ``code`` is stable (``unreachable``, ``too_large``, ``not_a_feed``, …), the text is for people.
    ``retry_after``: seconds that the source asks to wait.
    """

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after
