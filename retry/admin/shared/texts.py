"""Texts that are kept in English, in the language of the page."""

from django.utils.translation import gettext


def show(text: str | BaseException) -> str:
    """Return a stored text or a refusal as people read it; what people wrote stays as it is."""
    return gettext(str(text))
