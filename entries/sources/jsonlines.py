"""Files with one JSON object a line."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

from entries.errors import SourceError
from entries.sources.base import Invalid, SourceItem, SourceSpec
from entries.sources.files import READ_AHEAD, FileKind, FileOptions, opened, size_of
from entries.sources.json_values import item_in
from entries.sources.registry import register

MAX_LINE = 1_000_000
_STEP = 64 * 1024


@register
class JsonLinesKind(FileKind):
    """The payload is the object. Ids are text or numbers; ``a.b`` is the ``b`` in the ``a``.

    A line that is no JSON object with an id is left out and counted; empty lines are nothing.
    """

    name: ClassVar[str] = "jsonlines"
    description: ClassVar[str] = "A file with one JSON object a line: a path, or an upload."

    def items(self, spec: SourceSpec) -> Iterator[SourceItem | Invalid]:
        options = FileOptions.of(spec.options)
        number = 0
        with opened(spec.location) as file:
            for number, line in _lines(file):
                yield _item(number, line, options)
        if not number:
            raise SourceError("empty", "the file has nothing but empty lines")

    def count(self, spec: SourceSpec) -> int | None:
        with opened(spec.location) as file:
            if size_of(file) > READ_AHEAD:
                return None
            return sum(1 for _ in _lines(file))


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines that are not empty, with their numbers; of too long ones only the beginning."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
            if b"\0" in line:
                raise SourceError("malformed", "the file is binary, or not in UTF-8")
        if len(line) > MAX_LINE:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(_STEP)
        if not line.isspace() and line:
            yield number, line


def _item(number: int, line: bytes, options: FileOptions) -> SourceItem | Invalid:
    where = f"line {number:,}"
    if len(line) > MAX_LINE:
        return Invalid(f"longer than {MAX_LINE:,} bytes", where)
    try:
        value: Any = json.loads(line.decode())
    except UnicodeDecodeError:
        return Invalid("not in UTF-8", where)
    except (ValueError, RecursionError):
        return Invalid("not JSON", where)
    found = item_in(value, id_field=options.id_field, title_field=options.title_field)
    return Invalid(found.reason, where) if isinstance(found, Invalid) else found
