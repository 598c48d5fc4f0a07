"""The head of an answer, as browsers read it; pure.

A line that is not a header (a name with ``/`` in it, a PHP warning, a line without a colon) is left
out, white space before a colon is removed, and a folded line becomes one: the parser would refuse
the whole answer. What decides where the answer ends is never guessed at: lengths that contradict
each other stay for the parser, and so does a head with a NUL in it.
"""

import re

#: More than the parser accepts, so that the parser refuses it.
MAX_HEAD = 128 * 1024
_STATUS = re.compile(rb"HTTP/1\.[0-9] ([0-9]{3})(?![0-9])")
#: A head in which nothing is to be changed, as nearly all are.
_FINE = re.compile(
    rb"HTTP/1\.[0-9] ([0-9]{3})(?![0-9])[^\x00-\x1f\x7f]*\r\n"
    rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
_HEADER = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*(:[^\x00-\x08\x0a-\x1f\x7f]*\r?)")
_FOLDED = re.compile(rb"[ \t][^\x00-\x08\x0a-\x1f\x7f]*\r?")
_LENGTH = re.compile(rb"content-length:([^\r]*)", re.IGNORECASE)
_FRAMING = re.compile(rb"content-length|transfer-encoding", re.IGNORECASE)


class Head:
    """Passes an answer on as it comes in, without the invalid lines of its head."""

    def __init__(self) -> None:
        #: Of the last complete head; 0 before the first.
        self.status = 0
        #: Whether the rest is body, or nothing that could be cleaned.
        self.done = False
        self._pending = bytearray()
        #: How much of it was looked at for the end.
        self._searched = 0

    def pass_on(self, data: bytes) -> bytes:
        """Return the bytes to pass on; empty while the head is incomplete, unless ``data`` is."""
        if self.done:
            return data
        self._pending += data
        passed = b""
        while not self.done and (end := _find_end(self._pending, self._searched)):
            head = bytes(self._pending[:end])
            del self._pending[:end]
            self._searched = 0
            passed += self._clean(head)
            # After "100 Continue" and the like another head follows.
            self.done = not 100 <= self.status < 200
        if not data or len(self._pending) > MAX_HEAD:
            self.done, self.status = True, self.find_status()
        # The end may begin with the last two bytes.
        self._searched = max(0, len(self._pending) - 2)
        if self.done:
            passed += self._pending
            self._pending.clear()
        return passed

    def find_status(self) -> int:
        """Return the status of the last complete status line, also before its head is complete."""
        line, newline, _ = self._pending.partition(b"\n")
        found = _STATUS.match(line) if newline else None
        return int(found[1]) if found else self.status

    def _clean(self, head: bytes) -> bytes:
        if (fine := _FINE.fullmatch(head)) and head.lower().count(b"\ncontent-length:") < 2:
            self.status = int(fine[1])
            return head
        status, *lines = head.split(b"\n")
        found = _STATUS.match(status)
        if found is None:
            self.done = True  # no HTTP: the parser says so
            return head
        self.status = int(found[1])
        if b"\0" in head:
            return head
        kept: list[bytes] = [status]
        goes_on = False
        for line in lines:
            if line[:1] in {b" ", b"\t"}:  # a continuation of the line before
                if goes_on and _FOLDED.fullmatch(line):
                    kept[-1] = kept[-1].rstrip() + b" " + line.lstrip(b" \t")
                continue
            read = _read(line)
            goes_on = read is not None
            if read is not None:
                kept.append(read)
        return b"\n".join(_without_repeated_length(kept))


def _find_end(data: bytearray, start: int) -> int:
    """Return the place after the empty line that ends a head; 0 without one from ``start`` on."""
    end = data.find(b"\n\r\n", start)
    bare = data.find(b"\n\n", start, end + 1 if end >= 0 else None)
    if bare >= 0:
        return bare + 2
    return end + 3 if end >= 0 else 0


def _without_repeated_length(lines: list[bytes]) -> list[bytes]:
    """Leave one ``Content-Length`` where all say the same; the parser refuses any other two."""
    found = {i: length[1] for i, line in enumerate(lines) if (length := _LENGTH.match(line))}
    values = [value.strip() for line in found.values() for value in line.split(b",")]
    if len(values) < 2 or len(set(values)) > 1:
        return lines
    first, *others = found
    lines[first] = b"Content-Length: " + values[0] + b"\r"
    return [line for i, line in enumerate(lines) if i not in others]


def _read(line: bytes) -> bytes | None:
    """Return the line for the parser; None where it is not a header."""
    if not line.strip() or _FRAMING.search(line.partition(b":")[0]):
        return line
    found = _HEADER.fullmatch(line)
    return found[1] + found[2] if found else None
