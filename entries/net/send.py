"""One POST within one deadline; any status is an answer."""

import time
from collections.abc import Mapping

import httpx

from entries.net.body import decode_body
from entries.net.connection import ConnectionBroke
from entries.net.deadline import Deadline, DeadlinePassed
from entries.net.errors import BrokenAnswer, TooLarge
from entries.net.exchange import Answer, Exchange, translate_errors
from entries.net.response import NotHTTP, Response
from entries.net.urls import anonymous, parse

_BREAKS = (BrokenAnswer, TooLarge, DeadlinePassed, ConnectionBroke, NotHTTP)


def send(
    url: str, *, body: bytes, headers: Mapping[str, str], seconds: float, max_bytes: int
) -> Answer:
    """POST ``body`` to ``url`` within ``seconds`` in all; return the answer with any status.

    Follows no redirect, which would send the body and its signature to another server. Once the
    status line is there the outcome is known, so nothing after it is an error: an answer that is
    longer than ``max_bytes`` after decompression, slow, broken or wrongly encoded is ``cut``, and
    one whose headers contradict each other has its status alone. Raises the errors of
    ``entries.net.errors`` and nothing else; their messages name the URL without user, password and
    query.
    """
    deadline = Deadline(seconds)
    started = time.monotonic()
    target = parse(url)
    exchange = Exchange(target, deadline, method="POST", headers=headers, body=body)
    with translate_errors(target, deadline, doing="sending to"):
        try:
            with exchange as response:
                status, found = response.status, httpx.Headers(response.headers)
                start, cut = _read_start(response, max_bytes)
        except (NotHTTP, ConnectionBroke, DeadlinePassed):
            status, found, start, cut = exchange.status_line, httpx.Headers(), b"", True
            if status < 200:
                raise
    return Answer(anonymous(target), status, found, start, time.monotonic() - started, cut)


def _read_start(response: Response, max_bytes: int) -> tuple[bytes, bool]:
    """Return the body up to ``max_bytes``, and whether it is cut."""
    start = bytearray()
    encoding = response.find_header(b"content-encoding")
    try:
        for piece in decode_body(response.read_body(), encoding=encoding, max_bytes=max_bytes):
            start += piece
            if len(start) > max_bytes:
                break
    except _BREAKS:
        return bytes(start[:max_bytes]), True
    return bytes(start[:max_bytes]), len(start) > max_bytes
