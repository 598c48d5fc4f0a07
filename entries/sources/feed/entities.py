"""Names of characters in feeds, as in ``&eacute;``; pure.

XML has five of them and HTML two thousand. RSS 0.91 gets those of HTML from its document type,
other feeds use them without. The parser is given a document type with the names that a text uses,
so that a character that has a name is never lost.
"""

import re
from html.entities import html5

#: Different names in one document; what comes after them is unknown to the parser.
MAX_NAMES = 3_000
_NAME = re.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,49});")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})


def declarations(text: str) -> str:
    """A document type's declarations of all names that ``text`` uses: those of HTML are their
    characters, those that nobody knows stay as they are written.
    """
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        if match[1] not in _OF_XML:
            found[match[1]] = None
            if len(found) >= MAX_NAMES:
                break
    return "".join(f'<!ENTITY {name} "{_value(name)}">' for name in found)


def is_of_html(name: str, value: str | None) -> bool:
    """Whether ``name`` stands for ``value`` in HTML, so that a document may say so itself."""
    return value is not None and html5.get(f"{name};") == value


def _value(name: str) -> str:
    """Twice escaped: it is read once in the declaration, and once where it is used."""
    characters = html5.get(f"{name};")
    if characters is None:
        return f"&#38;#38;{name};"
    return "".join(f"&#38;#{ord(character)};" for character in characters)
