"""The language of a search: qualifiers, quoted texts and plain words, all of which must hold.

``#123`` and ``id:123`` an entry by its number or external id, ``error:"timed out"`` part of an
error's class or message, ``reason:INC-42`` why it was put to work, ``payload.customer=17`` a value
in the payload. All other words are text:
those that stand together are searched as they are written, so a pasted message needs no quotes.
Quotes part texts, and make text of what looks like a qualifier. Nothing is invalid: what is no
qualifier is text.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeAlias

from django.db.models import Q
from django.utils.translation import gettext

from entries import payload_match
from entries.payload_match import PREFIX, PayloadMatch
from entries.phrases import Phrase, phrase

#: No column holds an id with more digits.
_NUMBER = re.compile("0*([0-9]{1,18})", re.ASCII)
#: A quoted text; a backslash stands before a quote or another backslash.
_QUOTED = r'"(?:\\["\\]|\\(?!["\\])|[^"\\])*"'
_TOKEN = re.compile(
    rf'(?P<name>id:|error:|reason:|payload\.[^\s="]+=)?(?:(?P<quoted>{_QUOTED})(?!\S)|(?P<plain>\S+))'
)
_ESCAPED = re.compile(r'\\(["\\])')

Name = Literal["number", "id", "error", "reason", "text", "payload"]
_NAMES: Mapping[str, Name] = {"id:": "id", "error:": "error", "reason:": "reason", "": "text"}

#: The condition for what was put to work for a reason that contains a text.
ByReason: TypeAlias = Callable[[str], Q]


def find_none(_text: str) -> Q:
    """The condition where no reasons are known: nothing is found."""
    return Q(pk__in=())


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. ``path``: in the payload; empty for other names."""

    name: Name
    value: str
    path: str = ""

    def condition(self, by_reason: ByReason = find_none) -> Q:
        match self.name:
            case "number":
                return Q(pk=int(self.value))
            case "id":
                return Q(external_id=self.value) | self._by_number()
            case "error":
                return self.error_condition()
            case "reason":
                return by_reason(self.value)
            case "payload":
                return Q(PayloadMatch("payload", self.path, payload_match.parse_text(self.value)))
            case "text":
                return (
                    Q(external_id__icontains=self.value)
                    | Q(title__icontains=self.value)
                    | self.error_condition()
                    | self._by_number()
                )

    def error_condition(self) -> Q:
        """As far as the term may be found in an error; a text is not looked for in its class."""
        found = Q(error_message__icontains=self.value)
        return found | Q(error_class__icontains=self.value) if self.name == "error" else found

    @property
    def number(self) -> int | None:
        """The id that the value may be."""
        named = _NUMBER.fullmatch(self.value)
        return int(named[1]) if named else None

    def _by_number(self) -> Q:
        return Q() if self.number is None else Q(pk=self.number)

    def describe(self) -> Phrase:
        """Values behind names of secrets are masked: not all who read it may see the payload."""
        match self.name:
            case "number":
                return phrase("entry #%(number)s", number=self.value)
            case "id":
                return phrase("id %(id)s", id=self.value)
            case "error":
                return phrase("“%(text)s” in the error", text=self.value)
            case "reason":
                return phrase("“%(text)s” in a reason", text=self.value)
            case "payload":
                values = payload_match.parse_text(self.value)
                return phrase("payload %(value)s", value=payload_match.describe(self.path, values))
            case "text":
                return phrase("“%(text)s” in id, title or error", text=self.value)

    def mask(self) -> str:
        if self.name != "payload":
            return str(self)
        values = payload_match.parse_text(self.value)
        return PREFIX + payload_match.describe(self.path, values).replace(" = ", "=", 1)

    def label(self) -> tuple[str, str]:
        """Return what kind of term it is, and its value, as the screen shows them."""
        match self.name:
            case "number":
                return gettext("entry"), f"#{self.value}"
            case "id":
                return gettext("id"), self.value
            case "error":
                return gettext("error"), self.value
            case "reason":
                return gettext("reason"), self.value
            case "payload":
                values = payload_match.parse_text(self.value)
                return gettext("payload"), payload_match.describe(self.path, values)
            case "text":
                return gettext("text"), self.value

    def __str__(self) -> str:
        """The text from which ``parse`` makes exactly this term, beside any others."""
        match self.name:
            case "number":
                return f"#{self.value}"
            case "payload":
                return f"{PREFIX}{self.path}={self.value}"
            case "text":
                return quote(self.value)
            case _:
                plain = f"{self.name}:{self.value}"
                alone = tuple(_read_terms(plain)) == (self,)
                return plain if alone else f"{self.name}:{quote(self.value)}"


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """What a search means. Without terms it means every entry."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``. A blank text is looked for as it is: it must not mean every entry."""
        terms = tuple(_read_terms(text))
        return cls(terms or ((Term("text", text),) if text else ()))

    @property
    def texts(self) -> Sequence[str]:
        return [term.value for term in self.terms if term.name == "text"]

    @property
    def errors(self) -> Sequence[str]:
        return [term.value for term in self.terms if term.name == "error"]

    @property
    def ids(self) -> Sequence[Term]:
        return [term for term in self.terms if term.name == "id"]

    @property
    def reasons(self) -> Sequence[str]:
        return [term.value for term in self.terms if term.name == "reason"]

    @property
    def is_plain(self) -> bool:
        """Whether no text has to be looked for."""
        return not (self.texts or self.errors or self.reasons)

    def condition(self, by_reason: ByReason = find_none) -> Q:
        condition = Q()
        for term in self.terms:
            condition &= term.condition(by_reason)
        return condition

    def describe(self) -> Phrase:
        return list_phrases(term.describe() for term in self.terms)

    def mask(self) -> str:
        """As ``str``, but values behind names of secrets are masked, for logs and audits."""
        return " ".join(term.mask() for term in self.terms)

    @property
    def reads_payload(self) -> bool:
        return any(term.name == "payload" for term in self.terms)

    def without_reasons(self) -> Self:
        return type(self)(tuple(term for term in self.terms if term.name != "reason"))

    def without(self, index: int) -> Self:
        return type(self)(self.terms[:index] + self.terms[index + 1 :])

    def __str__(self) -> str:
        """The text from which ``parse`` makes exactly these terms."""
        if len(self.terms) == 1 and self.terms[0].name == "text":
            # As a person would write it, where that is enough.
            value = self.terms[0].value
            return value if SearchTerms.parse(value) == self else quote(value)
        return " ".join(map(str, self.terms))


def list_phrases(phrases: Iterable[Phrase]) -> Phrase:
    """Join phrases by commas; each is still shown in the reader's language."""
    named = {f"part{number}": each for number, each in enumerate(phrases)}
    return Phrase(", ".join(f"%({name})s" for name in named), values=named)


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _read_terms(text: str) -> Iterator[Term]:
    """Words that stand together are one text, from the first to the end of the last."""
    begin, end = -1, -1
    for found in _TOKEN.finditer(text):
        term = _read_token(found)
        if term is not None:
            if begin >= 0:
                yield _read_words(text[begin:end])
            begin = -1
            yield term
        else:
            begin, end = (found.start() if begin < 0 else begin), found.end()
    if begin >= 0:
        yield _read_words(text[begin:end])


def _read_token(found: re.Match[str]) -> Term | None:
    """Return what a token means by itself; None where it is a word."""
    name, quoted = found["name"] or "", found["quoted"]
    if name.startswith(PREFIX):
        written = (
            found["plain"] if quoted is None else json.dumps(_unquote(quoted), ensure_ascii=False)
        )
        return _read_payload(name.removeprefix(PREFIX)[:-1], written)
    value = found["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted[1:-1])
    if not value.strip() or not (name or quoted):
        return None
    return Term(_NAMES[name], value)


def _unquote(quoted: str) -> str:
    try:
        return str(json.loads(quoted))
    except ValueError:
        return _ESCAPED.sub(r"\1", quoted[1:-1])


def _read_payload(path: str, written: str) -> Term | None:
    try:
        payload_match.check_path(path)
        payload_match.parse_text(written)
    except ValueError:
        return None
    return Term("payload", written, path)


def _read_words(text: str) -> Term:
    if text.startswith("#") and (named := _NUMBER.fullmatch(text[1:])):
        return Term("number", named[1])
    return Term("text", text)
