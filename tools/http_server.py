"""A small HTTP/1.1 server on 127.0.0.1, for the demo's upstream and for measurements.

It shares its machine with what is measured, so it is cheap: one thread, no objects but a request
and an answer. Clients are our own and on this machine; it is no server for others.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast

HOST = "127.0.0.1"
HTML = "text/html; charset=utf-8"
#: Bytes of a request's head, and of the whole request.
_MAX_HEAD, _MAX_REQUEST = 64 * 1024, 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is without the query; the names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``after``: seconds until it is sent, unless the client leaves before.

    ``close``: the connection ends with it.
    """

    status: HTTPStatus = HTTPStatus.OK
    body: bytes = b""
    content_type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    close: bool = False


Handler = Callable[[Request], Answer]


def listen(port: int) -> socket.socket:
    """Listen on ``port``, or on a free one for 0. Raises ``OSError`` where it is taken."""
    return socket.create_server((HOST, port), backlog=1024)


async def serve(handler: Handler, listener: socket.socket) -> None:
    """Answer every request with what ``handler`` returns, until cancelled."""
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(handler), sock=listener)
    # Not serve_forever: some versions of Python let it wait for idle clients at the end.
    await asyncio.Event().wait()


class Connection(asyncio.Protocol):
    """One client's connection: its requests are answered one after the other."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._answer_next()

    def _answer_next(self) -> None:
        """Answer what has come completely, except while an answer has to wait."""
        while self._transport is not None and self._timer is None:
            try:
                request = self._take_request()
            except ValueError:
                return self._send(None, Answer(status=HTTPStatus.BAD_REQUEST, close=True))
            if request is None:
                return None
            answer = self._handler(request)
            if answer.after:
                later = asyncio.get_running_loop().call_later
                self._timer = later(answer.after, self._send_late, request, answer)
            else:
                self._send(request, answer)
        return None

    def _take_request(self) -> Request | None:
        """Take a request out of the buffer; None until one is complete. Raises ``ValueError``."""
        head, complete, rest = self._buffer.partition(b"\r\n\r\n")
        if len(head) > _MAX_HEAD or len(self._buffer) > _MAX_REQUEST:
            raise ValueError("too long")
        if not complete:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        if length < 0 or "transfer-encoding" in headers:
            raise ValueError("a body of unknown length")
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return Request(method, target.partition("?")[0], headers, rest[:length])

    def _send_late(self, request: Request, answer: Answer) -> None:
        self._timer = None
        self._send(request, answer)
        self._answer_next()

    def _send(self, request: Request | None, answer: Answer) -> None:
        if self._transport is None:
            return
        close = answer.close or (
            request is not None and request.headers.get("connection", "").lower() == "close"
        )
        self._transport.write(_render(request, answer, close=close))
        if close:
            self._transport.close()
            self._transport = None


def _render(request: Request | None, answer: Answer, *, close: bool) -> bytes:
    lines = [f"HTTP/1.1 {answer.status:d} {answer.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    has_body = answer.status is not HTTPStatus.NOT_MODIFIED
    if has_body:
        lines += [f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}"]
    if close:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    is_head = request is not None and request.method == "HEAD"
    return head + answer.body if has_body and not is_head else head
