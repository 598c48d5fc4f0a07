"""The parts of a workbook: a zip archive of unknown origin, read within bounds."""

import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from entries.errors import EntriesError, SourceError
from entries.readers.base import Limits, Meter
from entries.readers.xlsx.xml_stream import Attributes, list_tags, scan
from entries.text import one_line

#: Bytes of parts that are read whole: styles, the list of sheets, the archive's directory.
MAX_PART = 10_000_000
#: Bytes of parts that are streamed: a sheet, the shared strings.
MAX_STREAMED = 2_000_000_000
_MAX_RELATIONS = 20_000
_RELATION = list_tags("Relationship")


@dataclass(frozen=True, slots=True)
class Relation:
    id: str
    type: str
    target: str


class Package:
    """An open workbook. Names of parts are compared without case, ``\\`` is ``/`` (OPC, 6.2.2)."""

    def __init__(self, file: BinaryIO, *, limits: Limits, meter: Meter) -> None:
        _check_directory(file)
        self._meter = meter
        self._max_streamed = min(limits.bytes, MAX_STREAMED)
        self._archive = ZipFile(file)
        self._parts: dict[str, ZipInfo] = {}
        for info in self._archive.infolist():
            self._parts.setdefault(_key(info.filename), info)

    def close(self) -> None:
        self._archive.close()

    def has(self, name: str) -> bool:
        return _key(name) in self._parts

    def open_small(self, name: str) -> IO[bytes]:
        """Open a part. Raises ``SourceError`` where it is not small."""
        return self._open(name, MAX_PART)

    def open_large(self, name: str) -> IO[bytes]:
        return self._open(name, self._max_streamed)

    def relations(self, name: str) -> list[Relation]:
        """Return what the part called ``name`` refers to; for ``""`` what the package does."""
        folder, own = posixpath.split(name)
        part = posixpath.join(folder, "_rels", f"{own}.rels")
        found: list[Relation] = []

        def start(tag: str, attributes: Attributes) -> None:
            if tag not in _RELATION or attributes.get("TargetMode") == "External":
                return
            if len(found) == _MAX_RELATIONS:
                raise SourceError("too_large", "the workbook has more parts than a workbook needs")
            target = attributes.get("Target", "").replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found.append(Relation(attributes.get("Id", ""), attributes.get("Type", ""), path))

        if self.has(part):
            with self.open_small(part) as stream:
                scan(stream, start, meter=self._meter)
        return found

    def _open(self, name: str, limit: int) -> IO[bytes]:
        info = self._parts.get(_key(name))
        if info is None:
            raise SourceError(
                "malformed", f"the workbook is damaged: there is no {name[:100]} in it"
            )
        # zipfile reads no further than the declared size, but it unpacks other compressions in one
        # step, without a limit.
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or info.flag_bits & 1:
            raise SourceError(
                "not_allowed", "the workbook is compressed in a way that Excel does not use"
            )
        if info.file_size > limit:
            raise SourceError(
                "too_large",
                f"{name[:100]} unpacks to {info.file_size:,} bytes, more than {limit:,}",
            )
        return self._archive.open(info)


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise the libraries' errors as ours: on a damaged file they may raise anything."""
    try:
        yield
    except EntriesError:
        raise
    except BadZipFile as error:
        raise SourceError(
            "malformed", "the file is not an Excel workbook; an older .xls must be saved as .xlsx"
        ) from error
    except Exception as error:
        why = f"{type(error).__name__}: {one_line(error, limit=200)}"
        raise SourceError("malformed", f"the workbook is damaged ({why})") from error


def _key(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()


def _check_directory(file: BinaryIO) -> None:
    """Refuse an archive of millions of empty parts, which would fill the memory when opened."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 65_557))
    tail = file.read()
    end = tail.rfind(b"PK\5\6")
    listed = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    # ZIP64 is for archives beyond the bounds anyway.
    if listed > MAX_PART or (end >= 20 and tail[end - 20 : end].startswith(b"PK\6\7")):
        raise SourceError("too_large", "the workbook has more parts than a workbook needs")
    file.seek(0)
