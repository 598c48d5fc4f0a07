"""An answer as it comes in, parsed by llhttp, which is strict about where it ends."""

from collections.abc import Iterator

import httptools

from entries.net.connection import Connection
from entries.net.deadline import Deadline
from entries.net.heads import MAX_HEAD, Head

#: Bytes of a chunked body that are not its content: extensions of chunks, and trailers.
MAX_EXTRAS = 64 * 1024
#: Of these, what each chunk may have for its size and line ends.
_PER_CHUNK = 32


class NotHTTP(Exception):
    """What came in is not a whole answer in HTTP."""


class Response:
    """The answer to one request. Methods named ``on_…`` are called by the parser.

    Reading raises ``NotHTTP``, ``ConnectionBroke`` and ``DeadlinePassed``.
    """

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._head = Head()
        self._parser = httptools.HttpResponseParser(self)
        # As browsers read it: chunks count where there is a length as well, line feeds alone end
        # lines, spaces may follow the size of a chunk, and bytes after the last answer are ignored.
        # After two ends in one head and after surplus bytes the connection is not used again.
        self._parser.set_dangerous_leniencies(
            lenient_chunked_length=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
            lenient_data_after_close=True,
        )
        #: Bytes that came in up to the end of the headers.
        self.received = 0
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._extras = 0
        self._problem = ""
        self._has_head = False
        self._has_end = False
        self._is_complete = False
        self._is_lasting = False

    @property
    def status_line(self) -> int:
        """The status of the last answer's first line; 0 before there is one."""
        return self._head.find_status()

    @property
    def allows_another(self) -> bool:
        """Whether it was read to its end and the connection may carry another request."""
        return self._is_complete and self._is_lasting

    def release(self) -> None:
        """Let go of the parser, which refers back, so that memory is free at once."""
        del self._parser

    def find_header(self, name: bytes) -> str:
        """Return the values of a header, given in lower case, as one; empty without any."""
        found = [value for key, value in self.headers if key.lower() == name]
        return b", ".join(found).decode("latin-1")

    def read_head(self) -> None:
        """Read until ``status`` and ``headers`` are there."""
        while not self._has_head:
            if self._head.done or self.received > 2 * MAX_HEAD:
                raise NotHTTP("there is no end of the headers")
            self._read()

    def read_body(self) -> Iterator[bytes]:
        """Yield the body piece by piece as it comes in, still compressed."""
        while True:
            pieces, self._pieces = self._pieces, []
            yield from pieces
            if self._is_complete:
                return
            self._read()

    def _read(self) -> None:
        data = self._connection.receive(self._deadline)
        is_body = self._has_head
        if not is_body:
            self.received += len(data)
        passed = self._head.pass_on(data)
        if passed:
            self._parse(passed)
        # What the parser has called content or a chunk meanwhile is already taken off.
        self._extras = max(0, self._extras + len(passed)) if is_body else 0
        if self._extras > MAX_EXTRAS and not self._is_complete:
            raise NotHTTP("the trailers or the extensions of chunks are too long")
        if not data and not self._is_complete:
            self._end()

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # complete, and what follows is another protocol
        except httptools.HttpParserError as error:
            if not self._is_complete:
                raise NotHTTP(str(error)) from error
        if self._problem:
            raise NotHTTP(self._problem)

    def _end(self) -> None:
        """The server has hung up, which ends an answer that says no other end."""
        if not self._has_head:
            where = "in the middle of the headers" if self.received else "without an answer"
            raise NotHTTP(f"the server hung up {where}")
        if self._has_end:
            raise NotHTTP("the server hung up in the middle of the answer")
        self._is_complete = True

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._is_lasting = False  # nothing was requested that this could be
        elif not self._has_head:
            self.headers = []  # what came before was a "100 Continue" or the like

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._has_head:  # else a trailer
            self.headers.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._has_head or (100 <= status < 200 and status != 101):
            return
        self._has_head = True
        self.status = status
        codings = [value for name, value in self.headers if name.lower() == b"transfer-encoding"]
        has_length = any(name.lower() == b"content-length" for name, _ in self.headers)
        if codings and [value.lower() for value in codings] != [b"chunked"]:
            self._problem = f"a transfer encoding that is not known: {codings[0][:50]!r}"
        self._has_end = bool(codings) or has_length
        self._is_lasting = (
            not (codings and has_length)
            and status != 101
            and self._parser.get_http_version() == "1.1"
            and self._parser.should_keep_alive()
        )

    def on_chunk_header(self) -> None:
        self._extras -= _PER_CHUNK

    def on_body(self, body: bytes) -> None:
        self._extras -= len(body)
        if not self._is_complete:
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._is_complete = self._has_head
