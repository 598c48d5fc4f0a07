"""Which entries somebody means: a filter as a value, as data, and in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self

from django.db.models import Q

from entries.moments import parse_moment
from entries.states import EntryStatus

#: An entry's id in a search; no column holds more digits.
_NUMBER = re.compile(r"(?P<mark>#?)0*(?P<number>[0-9]{1,18})", re.ASCII)
_COLUMNS = {
    "status": "status",
    "kind": "kind",
    "source": "source__slug",
    "upstream": "upstream",
    "fingerprint": "fingerprint",
    "error_class": "error_class",
    "failed_after": "failed_at__gte",
    "failed_before": "failed_at__lt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """All that is given must hold. Nothing given means every entry; whoever acts on that must
    have said so, which is what ``explicit`` is for.
    """

    status: EntryStatus | None = None
    kind: str | None = None
    #: The slug of a source.
    source: str | None = None
    #: What its kind says that it depends on, such as the host of a page.
    upstream: str | None = None
    fingerprint: str | None = None
    error_class: str | None = None
    #: Part of an external id, title or error message, in any case; a number is an entry's id as
    #: well, and ``#123`` is that of one entry alone.
    q: str | None = None
    failed_after: datetime | None = None
    failed_before: datetime | None = None
    #: Whether its source does not have it any more.
    gone: Literal["yes", "no"] | None = None
    all: bool = False

    @property
    def explicit(self) -> bool:
        """Something narrows it, or it says that everything is meant."""
        return self.all or bool(self.data())

    def condition(self) -> Q:
        given = self._given()
        condition = Q(
            **{_COLUMNS[name]: value for name, value in given.items() if name in _COLUMNS}
        )
        if self.gone is not None:
            condition &= Q(gone_at__isnull=self.gone == "no")
        if self.q:
            condition &= _search(self.q)
        return condition

    def data(self) -> dict[str, Any]:
        """JSON-safe; ``of_data`` is the way back."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in self._given().items()
        }

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Self:
        """From what ``data`` gave. Raises ``TypeError`` or ``ValueError`` for anything else."""
        values = dict(data)
        for name in ("failed_after", "failed_before"):
            if name in values:
                values[name] = parse_moment(values[name])
        if "status" in values:
            values["status"] = EntryStatus(values["status"])
        if values.get("gone", "no") not in {"yes", "no"}:
            raise ValueError("gone is yes or no")
        return cls(**values)

    def words(self) -> str:
        """For people: ``status failed, source news, "time-out" in the text``."""
        said = []
        for name, value in self._given().items():
            if name == "all":
                said.append("every entry")
            elif name == "q":
                alone = value.startswith("#") and _NUMBER.fullmatch(value)
                said.append(f"entry {value}" if alone else f"“{value}” in id, title or error")
            elif name == "gone":
                said.append("gone from the source" if value == "yes" else "still in the source")
            elif isinstance(value, datetime):
                said.append(f"{name.replace('_', ' ')} {value:%Y-%m-%d %H:%M %Z}".strip())
            else:
                said.append(f"{name.replace('_', ' ')} {value}")
        return ", ".join(said) or "every entry"

    def _given(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, "", False)}


def _search(text: str) -> Q:
    found = (
        Q(external_id__icontains=text) | Q(title__icontains=text) | Q(error_message__icontains=text)
    )
    named = _NUMBER.fullmatch(text)
    if named is None:
        return found
    entry = Q(pk=int(named["number"]))
    return entry if named["mark"] else found | entry
