"""Fetching what somebody else's server has, for kinds and sources alike.

The address comes from a feed or a form and the answer from a stranger, so both are hostile until
shown otherwise: ``fetch`` bounds time, size and redirects, and refuses to be led into the network
it runs in.
"""

from entries.net.errors import (
    AddressRefused,
    BrokenAnswer,
    FetchError,
    InvalidAddress,
    RequestRefused,
    ServerUnavailable,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from entries.net.fetch import Answer, fetch

__all__ = [
    "AddressRefused",
    "Answer",
    "BrokenAnswer",
    "FetchError",
    "InvalidAddress",
    "RequestRefused",
    "ServerUnavailable",
    "TimedOut",
    "TooLarge",
    "TooManyRedirects",
    "Unreachable",
    "fetch",
]
