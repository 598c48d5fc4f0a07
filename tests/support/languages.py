"""A language in which every translation has marks, so that a test sees where one got to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.utils import translation

#: Around what was translated.
OPEN, CLOSE = "«", "»"
_FUNCTIONS = ("gettext", "ngettext", "pgettext", "npgettext")


@contextmanager
def marked_language() -> Iterator[None]:
    """Speak German, with marks around each text that is translated."""
    trans: Any = translation._trans  # type: ignore[attr-defined]
    patches = [mock.patch.object(trans, name, _mark(getattr(trans, name))) for name in _FUNCTIONS]
    for patch in patches:
        patch.start()
    try:
        with translation.override("de"):
            yield
    finally:
        for patch in patches:
            patch.stop()


def _mark(translate: Callable[..., str]) -> Callable[..., str]:
    def marked(*args: Any) -> str:
        text = translate(*args)
        return f"{OPEN}{text}{CLOSE}" if translation.get_language() == "de" else text

    return marked
