"""The head of an answer, as browsers read it; pure.

A line that is not a header (a name with ``/`` in it, a PHP warning, a line without a colon) is left
out, and white space before a colon is removed: the parser would refuse the whole answer. What
decides where the answer ends is never touched: a broken or doubled ``Content-Length`` stays for the
parser, and so does a head with a NUL in it.
"""

import re

#: More than the parser accepts, so that the parser refuses it.
MAX_HEAD = 128 * 1024
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?![0-9])")
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(:[^\x00-\x08\x0a-\x1f\x7f]*\r?)")
_FOLDED = re.compile(rb"[ \t][^\x00-\x08\x0a-\x1f\x7f]*\r?")
_FRAMING = re.compile(rb"content-length|transfer-encoding", re.IGNORECASE)


class Head:
    """Passes an answer on as it comes in, without the invalid lines of its head."""

    def __init__(self) -> None:
        #: Of the last complete status line; 0 before the first.
        self.status = 0
        self._pending = b""
        self._done = False

    def pass_on(self, data: bytes) -> bytes:
        """Return the bytes to pass on; empty while the head is incomplete, unless ``data`` is."""
        if self._done:
            return data
        self._pending += data
        passed = b""
        while not self._done and (end := _END.search(self._pending)):
            head, self._pending = self._pending[: end.end()], self._pending[end.end() :]
            passed += self._clean(head)
            # After "100 Continue" and the like another head follows.
            self._done = not 100 <= self.status < 200
        if not data or len(self._pending) > MAX_HEAD:
            self._done = True
            found = _STATUS.match(self._pending.partition(b"\n")[0])
            self.status = int(found[1]) if found and b"\n" in self._pending else self.status
        if self._done:
            passed, self._pending = passed + self._pending, b""
        return passed

    def _clean(self, head: bytes) -> bytes:
        status, *lines = head.split(b"\n")
        found = _STATUS.match(status)
        if found is None:
            self._done = True  # no HTTP: the parser says so
            return head
        self.status = int(found[1])
        if b"\0" in head:
            return head
        kept: list[bytes] = [status]
        goes_on = False
        for line in lines:
            if line[:1] in {b" ", b"\t"}:  # a continuation of the line before
                kept += [line] if goes_on and _FOLDED.fullmatch(line) else []
                continue
            read = _read(line)
            goes_on = read is not None
            kept += [] if read is None else [read]
        return b"\n".join(kept)


def _read(line: bytes) -> bytes | None:
    """Return the line for the parser; None where it is not a header."""
    if not line.strip() or _FRAMING.search(line.partition(b":")[0]):
        return line
    found = _HEADER.fullmatch(line)
    return found[1] + found[2] if found else None
