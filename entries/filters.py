"""Which entries are meant: a filter as a value, as data, and in words.

Each field of ``EntryFilter`` is declared once, with its type and its ``Criterion``. The API's query
string and body, the options of commands and the admin's addresses are made from ``CRITERIA``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args, get_type_hints

from django.db.models import Q

from entries import payload_match, reasons
from entries.criteria import (
    SEARCH,
    Criterion,
    Exclusion,
    Ids,
    Moment,
    Payload,
    Presence,
    SourceSlug,
    Span,
    Status,
    Text,
)
from entries.masking import mask_values
from entries.models import NOTHING, Scope
from entries.payload_match import Values
from entries.phrases import Phrase, phrase
from entries.search_terms import SearchTerms, list_phrases
from entries.states import EntryStatus


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
    exclude_fingerprints: Annotated[
        tuple[str, ...] | None,
        Exclusion(column="fingerprint", help="of error groups to leave out, with commas between"),
    ] = None
    error_class: Annotated[
        str | None, Text(column="error_class", help="such as TransientError")
    ] = None
    q: Annotated[str | None, SEARCH] = None
    ids: Annotated[
        tuple[int, ...] | None, Ids(column="pk__in", help="of entries, with commas between")
    ] = None
    external_id: Annotated[
        str | None,
        Text(column="external_id", help="exactly this one", max_length=500, listed=False),
    ] = None
    updated_after: Annotated[
        datetime | None,
        Moment(column="updated_at__gte", help="changed at this time or later", listed=False),
    ] = None
    failed_after: Annotated[
        datetime | None, Moment(column="failed_at__gte", help="failed at this time or later")
    ] = None
    failed_before: Annotated[
        datetime | None, Moment(column="failed_at__lt", help="failed before this time")
    ] = None
    failed_within: Annotated[
        str | None, Span(column="failed_at__gte", help="failed in the last 15m, 24h or 7d")
    ] = None
    received_after: Annotated[
        datetime | None, Moment(column="created_at__gte", help="received at this time or later")
    ] = None
    received_before: Annotated[
        datetime | None, Moment(column="created_at__lt", help="received before this time")
    ] = None
    received_within: Annotated[
        str | None, Span(column="created_at__gte", help="received in the last 15m, 24h or 7d")
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
        """Something narrows it, or it says that every entry is meant.

        What is only left out narrows nothing.
        """
        return self.all or bool(self.data().keys() - {"exclude_fingerprints"})

    @property
    def reads_payload(self) -> bool:
        """Whether it tells something of payloads to who may not see them."""
        return bool(self.payload) or SearchTerms.parse(self.q or "").reads_payload

    def condition(self, scope: Scope = NOTHING) -> Q:
        """Return what holds for the entries. A search for reasons finds those given for entries of
        the ``scope``, so none where a caller has not said which.
        """
        condition = SEARCH.condition(self.q, reasons.bind(scope)) if self.q else Q()
        for name, value in self._values().items():
            if name in CRITERIA and name != "q":
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
        if self.exclude_fingerprints:
            data["exclude_fingerprints"] = ",".join(self.exclude_fingerprints)
        if self.ids:
            data["ids"] = ",".join(map(str, self.ids))
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

    def words(self) -> Phrase:
        """Describe it for people: ``status failed, source news``."""
        given = {name: value for name, value in self._values().items() if name in CRITERIA}
        if not given:
            return phrase("every entry")
        return list_phrases(CRITERIA[name].describe(name, value) for name, value in given.items())

    def _values(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        nothing: tuple[object, ...] = (None, "", False, {}, ())
        return {name: value for name, value in values.items() if value not in nothing}


_HINTS = get_type_hints(EntryFilter, include_extras=True)
#: By field, in the order in which they are declared and worded.
CRITERIA: Mapping[str, Criterion] = {
    name: get_args(hint)[1] for name, hint in _HINTS.items() if name != "all"
}
#: The type of a field's value, or None.
VALUE_TYPES: Mapping[str, Any] = {name: get_args(_HINTS[name])[0] for name in CRITERIA}
