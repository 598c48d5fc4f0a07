"""Fetches from a local server, and the memory they take."""

import socket
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from entries.net import Answer, fetch, send

MEGABYTE = 1_000_000

Ask = Callable[[str], Answer]


def get(url: str, *, seconds: float = 5.0, max_bytes: int = MEGABYTE) -> Answer:
    return fetch(url, seconds=seconds, max_bytes=max_bytes)


def post(url: str) -> Answer:
    return send(url, body=b"{}", headers={}, seconds=5, max_bytes=1_000)


def move_name(monkeypatch: pytest.MonkeyPatch, *, to: str) -> list[str]:
    """Let every name be at the last of the returned addresses."""
    where = [to]

    def answer(_host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where[-1], port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return where


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
