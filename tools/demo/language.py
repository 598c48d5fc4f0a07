"""The language of the upstream's front page: that of the browser, where there is a catalog.

The upstream is a server without Django.
"""

import gettext
from collections.abc import Callable
from pathlib import Path

_CATALOGS = Path(__file__).resolve().parents[2] / "config" / "locale"
_SOURCE = "en"

Translate = Callable[[str], str]


def choose_language(accepted: str) -> str:
    """Return the first language of the header that there is. Browsers sort it by preference."""
    names = [part.partition(";")[0].strip().lower() for part in accepted.split(",")]
    codes = [name.partition("-")[0] for name in names if name.isascii()]
    known = {_SOURCE, *(path.name for path in _CATALOGS.iterdir())}
    return next((code for code in codes if code in known), _SOURCE)


def load_texts(language: str) -> Translate:
    found = gettext.translation("django", _CATALOGS, languages=[language], fallback=True)
    return found.gettext
