"""The catalogs on the disk: `.po` for people, `.mo` for Django."""

import io
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tools.messages.extraction import PARTS, Part, extract_messages

#: What a message is known by: its context, and its text in the singular.
Key: TypeAlias = tuple[str | None, str]

_HEADER = """\
# Texts in the language of the folder; the code has them in English.
# Written by `make messages`: translate the empty ones, and run it again.
msgid ""
msgstr ""
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Language: {language}\\n"
"Plural-Forms: {plural_forms}\\n"

"""
_CONFLICT = re.compile(
    rb"^<<<<<<< .*?\n(.*?)(?:^\|{7} .*?)?^=======\n(.*?)^>>>>>>> .*?\n", re.DOTALL | re.MULTILINE
)
#: Babel dates what it writes; a fixed date keeps files of the same texts the same.
DATED = datetime(2026, 1, 1, tzinfo=UTC)


def read_catalog(path: Path, *, language: str) -> Catalog:
    """Return what stands in a file; an empty catalog if there is none."""
    return next(read_sides(path, language=language))


def read_sides(path: Path, *, language: str) -> Iterator[Catalog]:
    """Yield what stands in a file, and after a merge with conflicts what stands on the other side.

    Each side is a whole catalog, wherever the marks of the conflict are.
    """
    text = path.read_bytes() if path.exists() else b""
    yield read_po(io.BytesIO(_CONFLICT.sub(rb"\1", text)), locale=language, abort_invalid=True)
    if _CONFLICT.search(text):
        yield read_po(io.BytesIO(_CONFLICT.sub(rb"\2", text)), locale=language, abort_invalid=True)


def update(
    part: Part, *, language: str, known: dict[Key, Message], left_out: AbstractSet[Key]
) -> Catalog:
    """Return the messages of a part with the translations that `known` has.

    A message that the code no longer has is dropped, and none is guessed from a similar one.
    """
    catalog = Catalog(locale=language)
    catalog.creation_date = catalog.revision_date = DATED
    for message in texts(extract_messages(part)):
        if key(message) in left_out:
            continue
        found = known.get(key(message))
        fits = found is not None and found.pluralizable == message.pluralizable
        catalog.add(
            message.id,
            found.string if found is not None and fits else None,
            locations=sorted({(file, 0) for file, _ in message.locations}),
            auto_comments=message.auto_comments,
            user_comments=found.user_comments if found is not None else (),
            context=message.context,
        )
    return catalog


def read_known(language: str) -> dict[Key, Message]:
    """Return the translations of all parts, so that one part may take them from another."""
    paths = [part.path(language) for part in PARTS]
    catalogs = [side for path in paths for side in read_sides(path, language=language)]
    return {
        key(message): message
        for catalog in reversed(catalogs)  # of two translations the first is taken
        for message in texts(catalog)
        if is_translated(message)
    }


def format_po(catalog: Catalog) -> bytes:
    """Without line numbers and dates, which would change with each edit of the code."""
    header = _HEADER.format(language=catalog.locale_identifier, plural_forms=catalog.plural_forms)
    body = io.BytesIO()
    write_po(
        body,
        catalog,
        width=96,
        omit_header=True,
        sort_by_file=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    return header.encode() + body.getvalue().rstrip() + b"\n"


def format_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def texts(catalog: Catalog) -> Iterator[Message]:
    """Return the messages without the header, which is a message too."""
    return (message for message in catalog if message.id)


def key(message: Message) -> Key:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def is_translated(message: Message) -> bool:
    """Tell whether each of its forms has a text."""
    return not message.fuzzy and all(forms(message))


def forms(message: Message) -> tuple[str, ...]:
    """Return the translation, in each of its plural forms."""
    if isinstance(message.string, str):
        return (message.string,)
    return tuple(form or "" for form in message.string or ("",))
