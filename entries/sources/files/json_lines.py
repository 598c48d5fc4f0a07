"""Files with one JSON object a line."""

from collections.abc import Mapping
from typing import Any, BinaryIO, ClassVar

from django.utils.translation import gettext_noop

from entries.readers.base import Limits
from entries.readers.objects import JsonTable
from entries.sources.base import Invalid, SourceItem
from entries.sources.files.kind import FileKind, FileOptions
from entries.sources.json_values import build_item
from entries.sources.registry import register


@register
class JsonLinesKind(FileKind):
    """The payload is the object. Ids are text or numbers; ``a.b`` is the ``b`` in the ``a``.

    A line that is not a JSON object with an id is left out and counted; empty lines are ignored.
    """

    name: ClassVar[str] = "jsonlines"
    description: ClassVar[str] = gettext_noop(
        "A file with one JSON object a line: a path, or an upload."
    )
    counts_rows: ClassVar[bool] = True

    def table(self, file: BinaryIO, options: FileOptions) -> JsonTable:
        return JsonTable(file, limits=Limits(), lists=False)

    def item(self, values: Mapping[str, Any], options: FileOptions) -> SourceItem | Invalid:
        return build_item(values, id_field=options.id_field, title_field=options.title_field)
