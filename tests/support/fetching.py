"""Fetches from a local server, and the memory they take."""

import tracemalloc
import zlib

from entries.net import fetch
from entries.net.exchange import Answer

MEGABYTE = 1_000_000


def get(url: str, *, seconds: float = 5.0, max_bytes: int = MEGABYTE) -> Answer:
    return fetch(url, seconds=seconds, max_bytes=max_bytes)


def compressed_zeros(size: int, *, wbits: int) -> bytes:
    coder = zlib.compressobj(9, wbits=wbits)
    zeros = bytes(MEGABYTE)
    return b"".join(coder.compress(zeros) for _ in range(size // MEGABYTE)) + coder.flush()


class peak_memory:  # noqa: N801 - reads as a statement
    """The block must not allocate more than ``below`` bytes at any moment."""

    def __init__(self, *, below: int) -> None:
        self._below = below

    def __enter__(self) -> None:
        tracemalloc.start()

    def __exit__(self, *_: object) -> None:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < self._below, f"{peak:,} bytes"
