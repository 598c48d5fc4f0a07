"""Texts for people: English where they are stored or answered, translated where they are shown.

A ``Phrase`` is its English text, so what raises, logs, stores or answers it need not know of
languages. ``show`` is the only way to a translation, and only pages call it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, ngettext

_PLACE = re.compile(r"%\((\w+)\)s")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+", re.ASCII)


class Phrase(str):
    """An English text that also knows from what it was made, and so can be shown translated.

    Values that are numbers are amounts and get thousands separators; ids are given as text. A value
    may be a phrase; a tuple is joined with semicolons, a list with commas.
    """

    __slots__ = ("_capital", "_count", "_message", "_plural", "_values")
    _message: str
    _plural: str
    _count: int
    _values: Mapping[str, object]
    _capital: bool

    def __new__(
        cls,
        message: str,
        plural: str = "",
        count: int = 0,
        *,
        values: Mapping[str, object] | None = None,
        capital: bool = False,
    ) -> Self:
        values = values or {}
        text = _fill(plural if plural and count != 1 else message, values, shown=False)
        self = super().__new__(cls, capfirst(text) if capital else text)
        self._message, self._plural, self._count = message, plural, count
        self._values, self._capital = values, capital
        return self

    def begin_sentence(self) -> "Phrase":
        """Return it with a capital, to stand in front of a sentence."""
        return Phrase(self._message, self._plural, self._count, values=self._values, capital=True)

    def show(self) -> str:
        """Return it in the active language."""
        if _speaks_english():
            return str(self)
        if not self._plural:
            message = gettext(self._message)
        else:
            message = ngettext(self._message, self._plural, self._count)
        text = _fill(message, self._values, shown=True)
        return capfirst(text) if self._capital else text

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON, from which ``read_phrase`` makes it again."""
        values = {name: _as_data(value) for name, value in self._values.items()}
        data = {"message": self._message, "plural": self._plural, "count": self._count}
        return data | {"values": values, "capital": self._capital}


def phrase(message: str, **values: object) -> Phrase:
    """``phrase("There is no sync %(sync)s.", sync="7")``; found by the extraction of messages."""
    return Phrase(message, values=values)


def nphrase(singular: str, plural: str, count: int, **values: object) -> Phrase:
    """Do the same with a plural; ``count`` is a value as well."""
    return Phrase(singular, plural, count, values={"count": count, **values})


def read_phrase(data: Any) -> Any:
    """Return the text, number or phrase that ``as_data`` made this of."""
    if isinstance(data, list):
        return [read_phrase(each) for each in data]
    if not isinstance(data, dict):
        return data
    if "several" in data:
        return tuple(read_phrase(data["several"]))
    values = {name: read_phrase(value) for name, value in data["values"].items()}
    return Phrase(
        data["message"], data["plural"], data["count"], values=values, capital=data["capital"]
    )


def _as_data(value: object) -> Any:
    if isinstance(value, Phrase):
        return value.as_data()
    if isinstance(value, tuple):
        return {"several": [_as_data(each) for each in value]}
    if isinstance(value, list):
        return [_as_data(each) for each in value]
    return value if isinstance(value, int) else str(value)


class Sentence:
    """A text that the product writes into rows, recognised there when a page shows it.

    Make them in a module that pages import, once for each text.
    """

    known: ClassVar[list["Sentence"]] = []

    def __init__(self, message: str) -> None:
        # Nothing more: workers import them and recognise none.
        self.message = message
        Sentence.known.append(self)

    def __call__(self, **values: object) -> Phrase:
        return Phrase(self.message, values=values)

    def read(self, text: str) -> Phrase | None:
        """Return the phrase that ``text`` was; None where it was another one."""
        if not all(part in text for part in self.parts[::2]):
            return None
        found = self._pattern.fullmatch(text)
        return None if found is None else self(**found.groupdict())

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """What stands between the places, and by turns the names of these."""
        return tuple(part.replace("%%", "%") for part in _PLACE.split(self.message))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(
            "".join(
                f"(?P<{part}>.+?)" if index % 2 else re.escape(part)
                for index, part in enumerate(self.parts)
            ),
            re.DOTALL,
        )


def show(text: str | BaseException) -> str:
    """Return a phrase, an error, or what a row holds, as people read it.

    What none of the sentences fits, such as what people have written, stays as it is.
    """
    if isinstance(text, BaseException):
        raised = text.args[0] if text.args else ""
        text = raised if isinstance(raised, Phrase) else _read(str(text)) or Phrase(str(text))
    if isinstance(text, Phrase):
        return text.show()
    known = _read(text)
    return text if known is None else known.show()


def _read(text: str) -> Phrase | None:
    return None if _speaks_english() else _recognise(text)


@lru_cache(maxsize=2000)  # a list shows the same texts in many rows
def _recognise(text: str) -> Phrase | None:
    for first, last, sentence in _order_sentences(len(Sentence.known)):
        if text.startswith(first) and text.endswith(last):
            found = sentence.read(text)
            if found is not None:
                return found
    return None


@lru_cache(maxsize=1)
def _order_sentences(count: int) -> Sequence[tuple[str, str, Sentence]]:  # noqa: ARG001 - the key
    """The most specific first: another one may fit where only a value differs."""
    found = sorted(Sentence.known, key=lambda each: -sum(map(len, each.parts[::2])))
    return [(each.parts[0], each.parts[-1], each) for each in found]


def _speaks_english() -> bool:
    # None: translation is off, as for the API and the commands.
    return (get_language() or "en").startswith("en")


def _fill(message: str, values: Mapping[str, object], *, shown: bool) -> str:
    if not values:
        return message.replace("%%", "%")
    write = _show_value if shown else _write_value
    return message % {name: write(value) for name, value in values.items()}


def _write_value(value: object) -> str:
    if isinstance(value, tuple | list):
        return _separator(value).join(map(_write_value, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _show_value(value: object) -> str:
    if isinstance(value, tuple | list):
        return _separator(value).join(map(_show_value, value))
    if isinstance(value, int):
        return str(number_format(value, force_grouping=True))
    if not isinstance(value, str):
        return str(value)
    if not isinstance(value, Phrase) and value.isalnum():
        return value  # an id or a name: no sentence is one word
    if _NUMBER.fullmatch(value):  # of a sentence that was read from a row
        return str(number_format(int(value.replace(",", "")), force_grouping=True))
    return show(value)


def _separator(values: tuple[object, ...] | list[object]) -> str:
    return "; " if isinstance(values, tuple) else ", "
