"""The body of an answer, read within a limit; pure.

The decompressor returns a bounded number of bytes at a time, so a bomb is refused at the limit and
not unpacked first. Only one layer of gzip or deflate is accepted: layers multiply.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator

from entries.net.errors import BrokenAnswer, TooLarge

ACCEPT_ENCODING = "gzip, deflate"
_STEP = 64 * 1024
_SLICE = 4 * 1024
#: Bytes by which an encoded body may exceed the limit of a decoded one.
_OVERHEAD = 64 * 1024
_GZIP = frozenset({"gzip", "x-gzip"})
_DEFLATE = frozenset({"deflate"})
#: Registered encodings that were not requested. Any other word in the header (``UTF-8``, ``none``,
#: ``binary``) names no compression.
_OTHERS = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "exi", "lzma", "pack200-gzip", "x-compress"}
    | {"bzip2", "x-bzip2", "xz", "zstd"}
)
_MAGIC = b"\x1f\x8b\x08"


def read_body(
    chunks: Iterable[bytes], *, encoding: str, max_bytes: int, sink: Callable[[bytes], object]
) -> None:
    """Pass the decoded body on to ``sink``. Raises ``TooLarge`` and ``BrokenAnswer``."""
    size = 0
    for piece in decode_body(chunks, encoding=encoding, max_bytes=max_bytes):
        size += len(piece)
        if size > max_bytes:
            raise TooLarge(f"more than {max_bytes:,} bytes")
        sink(piece)


def decode_body(chunks: Iterable[bytes], *, encoding: str, max_bytes: int) -> Iterator[bytes]:
    """Yield the decoded body piece by piece. The caller stops soon after ``max_bytes``.

    Raises ``BrokenAnswer``, and ``TooLarge`` where the compressed data alone is longer than that.
    """
    return _decode(_limit(chunks, max_bytes + _OVERHEAD), encoding)


def find_compression(header: str) -> str:
    """Return the one compression that ``Content-Encoding`` names; empty without one.

    Raises ``BrokenAnswer`` for one that was not requested, and for several layers.
    """
    names = [name.strip().lower() for name in header.split(",")]
    found = [name for name in names if name in _GZIP | _DEFLATE | _OTHERS]
    if not found:
        return ""
    if len(found) > 1 or found[0] in _OTHERS:
        raise BrokenAnswer(f"encoded as {', '.join(found)[:50]!r}, which was not requested")
    return "gzip" if found[0] in _GZIP else found[0]


def _limit(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Guard against endless compressed data that decodes to nothing."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"more than {limit - _OVERHEAD:,} bytes")
        yield chunk


def _decode(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    match find_compression(encoding):
        case "gzip":
            return _members(chunks)
        case "deflate":
            return _inflate(chunks)
        case _:
            return chunks


def _members(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decode the members of a gzip file, one after the other (RFC 1952, 2.2).

    Data after a member that does not begin another one is padding, as in other decoders.
    """
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    began, rest = False, b""
    for chunk in _slices(chunks):
        began, rest = began or bool(chunk), rest + chunk
        while rest:
            if decoder.eof:
                if len(rest) < len(_MAGIC) and _MAGIC.startswith(rest):
                    break  # as much as has come could be the beginning of another
                if not rest.startswith(_MAGIC):
                    return
                decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
            yield from _steps(decoder, rest)
            rest = decoder.unused_data
    if rest or (began and not decoder.eof):
        raise BrokenAnswer("the compressed answer is incomplete")


def _slices(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut chunks into small slices, because the rest of a slice is copied with each member."""
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE):
            yield chunk[start : start + _SLICE]


def _inflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder: zlib._Decompress | None = None
    for chunk in chunks:
        if decoder is None:
            # "deflate" means zlib, yet some servers send it without zlib's header.
            raw = chunk[:1] not in {b"\x78", b"\x58", b"\x48", b"\x08"}
            decoder = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
        yield from _steps(decoder, chunk)
    if decoder is not None and not decoder.eof:
        raise BrokenAnswer("the compressed answer is incomplete")


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
