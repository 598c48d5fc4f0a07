"""How one field of a filter is read from text, compared, worded and offered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from entries import payload_match
from entries.models import Source
from entries.moments import describe_span, parse_moment, parse_span
from entries.payload_match import PayloadMatch, Values
from entries.phrases import Phrase, phrase
from entries.search_terms import ByReason, SearchTerms, find_none, list_phrases
from entries.states import EntryStatus

#: A number from 1 that a column holds.
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
#: Printable ASCII; commas stand between several.
_EXCLUDED = re.compile(r"[!-+\--~]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """How a field of the filter is read from text, compared, worded and offered.

    ``column``: with its lookup. ``help``: of a command's option. ``listed``: the admin's list of
    entries has a filter of that name.
    """

    column: str
    help: str
    listed: bool = True

    def parse(self, value: Any) -> Any:
        """From JSON or the text of an address. Raises ``ValueError``."""
        return value

    def condition(self, value: Any) -> Q:
        return Q(**{self.column: value})

    def export(self, value: Any) -> Any:
        """Make it JSON-safe; ``parse`` is the way back."""
        return value

    def describe(self, name: str, value: Any) -> Phrase:
        """As ``status failed``."""
        shown = Phrase(value) if isinstance(value, EntryStatus) else str(value)
        return phrase("%(name)s %(value)s", name=Phrase(name.replace("_", " ")), value=shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Criterion):
    max_length: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Criterion):
    choices: tuple[str, ...]

    def parse(self, value: Any) -> Any:
        if value not in self.choices:
            raise ValueError(f"must be one of: {', '.join(self.choices)}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Choice):
    def parse(self, value: Any) -> EntryStatus:
        return EntryStatus(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Choice):
    def condition(self, value: Any) -> Q:
        return Q(**{self.column: value == "no"})

    def describe(self, name: str, value: Any) -> Phrase:
        return phrase("gone from the source") if value == "yes" else phrase("still in the source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Criterion):
    def parse(self, value: Any) -> datetime:
        return parse_moment(value)

    def export(self, value: datetime) -> str:
        return value.isoformat()

    def describe(self, name: str, value: Any) -> Phrase:
        time = f"{value:%Y-%m-%d %H:%M %Z}".strip()
        match name:
            case "failed_after":
                return phrase("failed after %(time)s", time=time)
            case "failed_before":
                return phrase("failed before %(time)s", time=time)
            case "received_after":
                return phrase("received after %(time)s", time=time)
            case "received_before":
                return phrase("received before %(time)s", time=time)
            case _:
                return phrase("updated after %(time)s", time=time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Criterion):
    """The time up to now, such as ``15m``, ``24h`` or ``7d``."""

    def parse(self, value: Any) -> str:
        parse_span(value)
        return str(value)

    def condition(self, value: Any) -> Q:
        return Q(**{self.column: timezone.now() - parse_span(value)})

    def describe(self, name: str, value: Any) -> Phrase:
        span = describe_span(value)
        if name == "received_within":
            return phrase("received in the last %(span)s", span=span)
        return phrase("failed in the last %(span)s", span=span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Text):
    """What a person types: ``entries.search_terms`` has its language."""

    listed: bool = False

    def condition(self, value: Any, by_reason: ByReason = find_none) -> Q:
        """True of what is found; ``entries.lists`` finds it sooner."""
        return SearchTerms.parse(value).condition(by_reason)

    def describe(self, name: str, value: Any) -> Phrase:
        return SearchTerms.parse(value).describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSlug(Text):
    def condition(self, value: Any) -> Q:
        """As a comparison of the column, for which there are indexes, and no join."""
        return Q(**{self.column: Source.objects.filter(slug=value).values("pk")[:1]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion(Criterion):
    """Any of these values in the column leaves an entry out. A text has commas between them."""

    listed: bool = False
    max_values: int = 100

    def parse(self, value: Any) -> tuple[str, ...]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not given or len(given) > self.max_values:
            raise ValueError(f"must be 1 to {self.max_values} values")
        if not all(isinstance(each, str) and _EXCLUDED.fullmatch(each) for each in given):
            raise ValueError("must be texts of 1 to 40 characters without spaces and commas")
        return tuple(dict.fromkeys(given))

    def condition(self, value: Any) -> Q:
        return ~Q(**{f"{self.column}__in": value})

    def export(self, value: tuple[str, ...]) -> list[str]:
        return list(value)

    def describe(self, name: str, value: Any) -> Phrase:
        column = Phrase(self.column)
        return phrase("%(column)s not %(values)s", column=column, values=" or ".join(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids(Criterion):
    """Any of these ids. A text has commas between them."""

    listed: bool = False
    max_values: int = 500

    def parse(self, value: Any) -> tuple[int, ...]:
        given = value.split(",") if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not 1 <= len(given) <= self.max_values:
            raise ValueError(f"must be 1 to {self.max_values} ids")
        if not all(type(each) in {int, str} and _ID.fullmatch(str(each)) for each in given):
            raise ValueError("must be ids of entries, such as 41,42")
        return tuple(dict.fromkeys(int(each) for each in given))

    def export(self, value: tuple[int, ...]) -> list[int]:
        return list(value)

    def describe(self, name: str, value: Any) -> Phrase:
        return phrase("id %(ids)s", ids=" / ".join(map(str, value)))


SEARCH = Search(
    column="",
    help=(
        "part of an external id, title or error message; "
        "knows #123, id:, error:, reason:, payload.x=17"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload(Criterion):
    """Values in the payload, by path. An address has a parameter for each: ``payload.customer``."""

    def parse(self, value: Any) -> Mapping[str, Values]:
        return payload_match.parse_paths(value)

    def export(self, value: Mapping[str, Values]) -> dict[str, list[Any]]:
        return {path: list(values) for path, values in value.items()}

    def condition(self, value: Any) -> Q:
        condition = Q()
        for path, values in value.items():
            condition &= Q(PayloadMatch(self.column, path, values))
        return condition

    def describe(self, name: str, value: Any) -> Phrase:
        """Values behind names of secrets are masked: not all who read it may see the payload."""
        return list_phrases(
            phrase("payload %(value)s", value=payload_match.describe(*each))
            for each in value.items()
        )
