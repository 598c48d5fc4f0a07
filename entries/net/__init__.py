"""HTTP requests to servers of others, for kinds and sources alike.

The address comes from a feed or a form and the answer from a stranger, so both count as hostile:
``fetch`` and ``send`` bound time, size and redirects, and do not connect to the network that they
run in.
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
from entries.net.exchange import Answer
from entries.net.fetch import fetch
from entries.net.send import send

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
    "send",
]
