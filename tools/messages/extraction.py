"""The messages that the code asks for."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]

_PLURAL = (1, 2)
_CONTEXT = ((1, "c"), 2)
_CONTEXT_PLURAL = ((1, "c"), 2, 3)
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": _PLURAL,
    "ngettext_lazy": _PLURAL,
    "pgettext": _CONTEXT,
    "pgettext_lazy": _CONTEXT,
    "npgettext": _CONTEXT_PLURAL,
    "npgettext_lazy": _CONTEXT_PLURAL,
    # Ours, of ``entries.phrases``.
    "phrase": None,
    "nphrase": _PLURAL,
    "Sentence": None,
}
#: Comments that begin so, directly above a text, are copied into the catalog.
COMMENT_TAGS = ("Translators:",)


@dataclass(frozen=True)
class Part:
    """What one catalog covers: files of these folders, without those of the folders left out."""

    catalog: str
    folders: tuple[str, ...]
    without: tuple[str, ...] = ()

    def path(self, language: str, suffix: str = "po") -> Path:
        return ROOT / self.catalog / language / "LC_MESSAGES" / f"django.{suffix}"

    def files(self) -> list[Path]:
        """Return its files relative to the root, sorted."""
        found = (path for folder in self.folders for path in (ROOT / folder).rglob("*"))
        relative = (path.relative_to(ROOT) for path in found if path.suffix in {".py", ".html"})
        return sorted(path for path in relative if self._covers(path))

    def _covers(self, path: Path) -> bool:
        return "migrations" not in path.parts and not any(
            path.is_relative_to(folder) for folder in self.without
        )


#: Two catalogs for `retry`: what the desk shows, and the texts beside the code that owns them.
PARTS = (
    Part("config/locale", ("config", "templates", "tools/demo")),
    Part("entries/locale", ("entries",)),
    Part("retry/locale", ("retry",), without=("retry/admin", "retry/templates")),
    Part("retry/admin/locale", ("retry/admin", "retry/templates")),
)


def extract_messages(part: Part) -> Catalog:
    """Return the messages of a part, without those that Django has in its own catalogs."""
    catalog = Catalog()
    for path in part.files():
        for line, message, comments, context in extract_from(path):
            catalog.add(
                message,
                locations=[(path.as_posix(), line)],
                auto_comments=comments,
                context=context,
            )
    return catalog


def extract_from(path: Path) -> Iterator[tuple[int, Any, Iterable[str], str | None]]:
    source = (ROOT / path).read_bytes()
    if path.suffix == ".html":
        source = to_python(source.decode(), origin=path.as_posix()).encode()
    yield from extract_text(source.decode(), origin=path.as_posix())


def extract_text(
    source: str, *, origin: str
) -> Iterator[tuple[int, Any, Iterable[str], str | None]]:
    """Yield the messages of Python code; Babel's warnings name where it is from."""
    file = _NamedFile(source.encode())
    file.name = origin
    yield from extract("python", file, KEYWORDS, COMMENT_TAGS)


class _NamedFile(io.BytesIO):
    name: str


def to_python(template: str, *, origin: str) -> str:
    """Turn the tags for translation into calls, in brackets so that indentation means nothing."""
    return f"({templatize(template, origin=origin)}\n)"
