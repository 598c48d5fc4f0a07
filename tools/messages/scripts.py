"""Texts in Django's own scripts that Django has not translated yet: a catalog of ours has them."""

import io
from pathlib import Path

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract

from tools.messages.catalogs import DATED, format_mo, format_po, key, read_catalog, texts
from tools.messages.extraction import KEYWORDS, ROOT

#: Django adds what lies in ``LOCALE_PATHS`` to the catalog that it sends to browsers.
_CATALOG = ROOT / "config/locale"
_ADMIN = Path(django.__file__).parent / "contrib/admin"


def get_path(language: str) -> Path:
    return _CATALOG / language / "LC_MESSAGES/djangojs.po"


def update_scripts(language: str) -> Catalog:
    """Return the catalog of a language, with the translations that it has."""
    theirs = read_catalog(_ADMIN / f"locale/{language}/LC_MESSAGES/djangojs.po", language=language)
    known = {key(message) for message in texts(theirs)}
    ours = {key(m): m for m in texts(read_catalog(get_path(language), language=language))}
    catalog = Catalog(locale=language)
    catalog.creation_date = catalog.revision_date = DATED
    for path in sorted((_ADMIN / "static/admin/js").glob("*.js")):
        found = extract("javascript", io.BytesIO(path.read_bytes()), KEYWORDS, ())
        for _line, message, _comments, context in found:
            added = catalog.add(message, locations=[(path.name, 0)], context=context)
            if key(added) in known:
                catalog.delete(added.id, context=context)
            elif key(added) in ours:
                added.string = ours[key(added)].string
    return catalog


def write_scripts(language: str) -> Catalog:
    catalog = update_scripts(language)
    path = get_path(language)
    path.write_bytes(format_po(catalog))
    path.with_suffix(".mo").write_bytes(format_mo(catalog))
    return catalog
