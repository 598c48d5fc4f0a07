"""Which entries are meant: a filter as a value, as data, and in words.

Each field of ``EntryFilter`` is declared once, with its type and its ``Criterion``. The API's query
string and body, the options of commands and the admin's addresses are made from ``CRITERIA``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

from django.db.models import Q
from django.utils import timezone

from entries import payload_match
from entries.masking import mask_values
from entries.models import Source
from entries.moments import describe_span, parse_moment, parse_span
from entries.payload_match import PayloadMatch, Values
from entries.search_terms import SearchTerms
from entries.states import EntryStatus


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

    def describe(self, name: str, value: Any) -> str:
        return f"{name.replace('_', ' ')} {value}"


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

    def describe(self, name: str, value: Any) -> str:
        return "gone from the source" if value == "yes" else "still in the source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment(Criterion):
    def parse(self, value: Any) -> datetime:
        return parse_moment(value)

    def export(self, value: datetime) -> str:
        return value.isoformat()

    def describe(self, name: str, value: Any) -> str:
        return f"{name.replace('_', ' ')} {value:%Y-%m-%d %H:%M %Z}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span(Criterion):
    """The time up to now, such as ``15m``, ``24h`` or ``7d``."""

    def parse(self, value: Any) -> str:
        parse_span(value)
        return str(value)

    def condition(self, value: Any) -> Q:
        return Q(**{self.column: timezone.now() - parse_span(value)})

    def describe(self, name: str, value: Any) -> str:
        return f"failed in the last {describe_span(value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Text):
    """What a person types: ``entries.search_terms`` has its language."""

    listed: bool = False

    def condition(self, value: Any) -> Q:
        """True of what is found; ``entries.lists`` finds it sooner."""
        return SearchTerms.parse(value).condition()

    def describe(self, name: str, value: Any) -> str:
        return SearchTerms.parse(value).describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSlug(Text):
    def condition(self, value: Any) -> Q:
        """As a comparison of the column, for which there are indexes, and no join."""
        return Q(**{self.column: Source.objects.filter(slug=value).values("pk")[:1]})


SEARCH = Search(
    column="",
    help="part of an external id, title or error message; knows #123, id:, error:, payload.x=17",
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

    def describe(self, name: str, value: Any) -> str:
        """Values behind names of secrets are masked: not all who read it may see the payload."""
        return ", ".join(f"{name} {payload_match.describe(*each)}" for each in value.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """All that is given must hold.

    Nothing given means every entry; a caller that acts on entries asks for ``explicit`` first.
    """

    status: Annotated[
        EntryStatus | None,
        Status(
            column="status",
            help="status of the entries",
            choices=tuple(s.value for s in EntryStatus),
        ),
    ] = None
    kind: Annotated[str | None, Text(column="kind", help="kind of the entries", max_length=50)] = (
        None
    )
    source: Annotated[
        str | None, SourceSlug(column="source", help="slug of a source", max_length=80)
    ] = None
    upstream: Annotated[
        str | None, Text(column="upstream", help="what entries depend on, such as a host")
    ] = None
    fingerprint: Annotated[
        str | None, Text(column="fingerprint", help="of an error group", max_length=40)
    ] = None
    error_class: Annotated[
        str | None, Text(column="error_class", help="such as TransientError")
    ] = None
    q: Annotated[str | None, SEARCH] = None
    failed_after: Annotated[
        datetime | None, Moment(column="failed_at__gte", help="failed at this time or later")
    ] = None
    failed_before: Annotated[
        datetime | None, Moment(column="failed_at__lt", help="failed before this time")
    ] = None
    failed_within: Annotated[
        str | None, Span(column="failed_at__gte", help="failed in the last 15m, 24h or 7d")
    ] = None
    gone: Annotated[
        Literal["yes", "no"] | None,
        Presence(
            column="gone_at__isnull",
            help="whether the source no longer has the entry",
            choices=("yes", "no"),
        ),
    ] = None
    payload: Annotated[
        Mapping[str, Values] | None,
        Payload(
            column="payload",
            help="a value in the payload, by its path, such as customer=17; may be repeated",
        ),
    ] = None
    #: Every entry is meant, and it was said.
    all: bool = False

    @property
    def explicit(self) -> bool:
        """Something narrows it, or it says that every entry is meant."""
        return self.all or bool(self.data())

    def condition(self) -> Q:
        condition = Q()
        for name, value in self._values().items():
            if name in CRITERIA:
                condition &= CRITERIA[name].condition(value)
        return condition

    def without_search(self) -> Self:
        return replace(self, q=None)

    def data(self) -> dict[str, Any]:
        """Return what is given, JSON-safe; ``from_data`` is the way back."""
        return {
            name: CRITERIA[name].export(value) if name in CRITERIA else value
            for name, value in self._values().items()
        }

    def mask(self) -> dict[str, Any]:
        """Return ``data`` for those who may not see payloads: a filter can hold a secret of one."""
        data: dict[str, Any] = mask_values(self.data())
        return data | {"q": SearchTerms.parse(self.q).mask()} if self.q else data

    def parameters(self) -> dict[str, Any]:
        """Return what is given as parameters of an address; ``from_data`` is the way back."""
        data = self.data()
        data.pop("payload", None)
        paths = self.payload or {}
        return data | {
            f"{payload_match.PREFIX}{path}": payload_match.format_text(values)
            for path, values in paths.items()
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Build a filter from ``data()`` or from the texts of an address.

        Raises ``TypeError`` for unknown names and ``ValueError`` for other values.
        """
        plain, paths = payload_match.split_parameters(data)
        given = {
            name: CRITERIA[name].parse(value) if name in CRITERIA else value
            for name, value in plain.items()
        }
        if paths:
            given["payload"] = payload_match.parse_texts(paths)
        return cls(**given)

    def words(self) -> str:
        """Describe it for people: ``status failed, source news``."""
        parts = [
            CRITERIA[name].describe(name, value)
            for name, value in self._values().items()
            if name in CRITERIA
        ]
        return ", ".join(parts) or "every entry"

    def _values(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, "", False, {})}


_HINTS = get_type_hints(EntryFilter, include_extras=True)
#: By field, in the order in which they are declared and worded.
CRITERIA: Mapping[str, Criterion] = {
    name: get_args(hint)[1] for name, hint in _HINTS.items() if name != "all"
}
#: The type of a field's value, or None.
VALUE_TYPES: Mapping[str, Any] = {name: get_args(_HINTS[name])[0] for name in CRITERIA}
