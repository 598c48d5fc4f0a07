"""Reading an answer's body within a limit; pure.

The decompressor is asked for so many bytes at a time, so a bomb is given up at the limit instead of
being unfolded first. Only one layer of gzip or deflate is taken: layers multiply.
"""

import zlib
from collections.abc import Iterable, Iterator

from entries.net.errors import BrokenAnswer, TooLarge

ACCEPT_ENCODING = "gzip, deflate"
_STEP = 64 * 1024
#: What an encoded body may be longer than a decoded one of the same limit.
_OVERHEAD = 64 * 1024


def read_body(chunks: Iterable[bytes], *, encoding: str, max_bytes: int) -> bytes:
    """The decoded body. Raises ``TooLarge`` over ``max_bytes`` and ``BrokenAnswer``."""
    body = bytearray()
    for piece in decoded(chunks, encoding=encoding, max_bytes=max_bytes):
        body += piece
        if len(body) > max_bytes:
            raise TooLarge(f"more than {max_bytes:,} bytes")
    return bytes(body)


def decoded(chunks: Iterable[bytes], *, encoding: str, max_bytes: int) -> Iterator[bytes]:
    """The body piece by piece, for whoever stops by themselves soon after ``max_bytes``.

    Raises ``BrokenAnswer``, and ``TooLarge`` for compressed data that is longer than that itself.
    """
    return _decoded(_bounded(chunks, max_bytes + _OVERHEAD), encoding)


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Guards against compressed data without end that decodes to nothing."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"more than {limit - _OVERHEAD:,} bytes")
        yield chunk


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return chunks
    if encoding in {"gzip", "x-gzip"}:
        return _inflated(chunks, 16 + zlib.MAX_WBITS)
    if encoding == "deflate":
        return _inflated(chunks, zlib.MAX_WBITS)
    raise BrokenAnswer(f"encoded as {encoding[:50]!r}, which was not asked for")


def _inflated(chunks: Iterator[bytes], window: int) -> Iterator[bytes]:
    decoder: zlib._Decompress | None = None
    for chunk in chunks:
        if decoder is None:
            # "deflate" means zlib, yet some servers send it without zlib's header.
            raw = window == zlib.MAX_WBITS and chunk[:1] not in {b"\x78", b"\x58", b"\x48", b"\x08"}
            decoder = zlib.decompressobj(-zlib.MAX_WBITS if raw else window)
        yield from _steps(decoder, chunk)
    if decoder is not None and not decoder.eof:
        raise BrokenAnswer("the compressed answer ends in the middle")


def _steps(decoder: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while not decoder.eof:
        try:
            piece = decoder.decompress(data, _STEP)
        except zlib.error as error:
            raise BrokenAnswer("the compressed answer is damaged") from error
        yield piece
        data = decoder.unconsumed_tail
        # A full step may have left output behind although the input is used up.
        if not data and len(piece) < _STEP:
            return
