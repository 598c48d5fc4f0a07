"""Names of characters in feeds, as in ``&eacute;``; pure.

XML has five of them and HTML two thousand. RSS 0.91 gets HTML's names from its document type, other
feeds use them without one. The parser gets a document type with the names that a text uses, so that
no character with a name is lost.
"""

import re
from html.entities import html5

#: Different names in one document; the parser does not know any further ones.
MAX_NAMES = 3_000
_NAME = re.compile(r"&([A-Za-z][A-Za-z0-9._-]{0,49});")
_XML_NAMES = frozenset({"amp", "lt", "gt", "quot", "apos"})


def build_declarations(text: str) -> str:
    """Return declarations of all names that ``text`` uses.

    HTML's names stand for their characters; unknown ones stay as they are written.
    """
    found: dict[str, None] = {}
    for match in _NAME.finditer(text):
        if match[1] not in _XML_NAMES:
            found[match[1]] = None
            if len(found) >= MAX_NAMES:
                break
    return "".join(f'<!ENTITY {name} "{_value(name)}">' for name in found)


def is_html(name: str, value: str | None) -> bool:
    """Say whether ``name`` stands for ``value`` in HTML, so that a document may declare it."""
    return value is not None and html5.get(f"{name};") == value


def _value(name: str) -> str:
    """Escape twice: it is parsed in the declaration, and again where it is used."""
    characters = html5.get(f"{name};")
    if characters is None:
        return f"&#38;#38;{name};"
    return "".join(f"&#38;#{ord(character)};" for character in characters)
