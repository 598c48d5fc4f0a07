"""Errors of requests to servers of others.

The class says whether another try may help; ``code`` is what a source reports.
"""

from typing import ClassVar

from entries.errors import EntriesError, PermanentError, TransientError


class FetchError(EntriesError):
    """Base: something could not be fetched."""

    code: ClassVar[str] = "unreachable"


class Unreachable(FetchError, TransientError):
    """No name, no connection, no TLS, or one that broke."""


class TimedOut(FetchError, TransientError):
    """The whole fetch took longer than allowed."""

    code = "timed_out"


class BrokenAnswer(FetchError, TransientError):
    """The server does not speak proper HTTP, or stopped half-way."""

    code = "broken_answer"


class ServerUnavailable(FetchError, TransientError):
    """A status that means "later": 408, 425, 429 or 5xx; for a POST also 409."""

    code = "http_error"


class RequestRefused(FetchError, PermanentError):
    """Any other status that is not a success."""

    code = "http_error"

    def __init__(self, message: str = "", *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class InvalidAddress(FetchError, PermanentError):
    """Not an absolute http or https URL."""

    code = "invalid_address"


class AddressRefused(FetchError, PermanentError):
    """The host is in the network that Redrive runs in, or has no public address."""

    code = "not_allowed"


class TooLarge(FetchError, PermanentError):
    """More bytes than allowed, counted after decompression."""

    code = "too_large"


class TooManyRedirects(FetchError, PermanentError):
    """A redirect loop, or too many hops."""

    code = "redirects"
