"""From a row of a file to what is pushed; and what would become of it, for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, NoReturn, Self

from django.utils.text import Truncator

from entries.content import content_hash
from entries.models import Entry
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from retry.admin.transfer.cells import text_of
from retry.admin.transfer.reading import KNOWN_COLUMNS
from retry.outcomes import Reason
from retry.submission import Effect, Fate, foresee

_SHOWN = 160
_MOST_CHANGES = 12


class RowRefused(Exception):
    """The row makes no item; ``member`` is what is wrong with it."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would become of one row. ``what``: new, changed, unchanged, alone or error."""

    line: int
    external_id: str
    title: str
    what: str
    words: str
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()

    @classmethod
    def of(cls, line: int, item: SourceItem, known: Entry | None, fate: Fate) -> Self:
        what, words = _words(fate)
        changes = tuple(changes_in(item, known)) if what == "changed" and known else ()
        return cls(line, item.external_id, item.title, what, words, changes)


def item_of(row: Mapping[str, Any], known: Entry | None) -> SourceItem:
    """What the file has no column for stays as it is known. Raises ``RowRefused``."""
    title = known.title if known else ""
    if "title" in row:
        title = id_of(row["title"])
    if "payload" in row:
        payload = _payload(row["payload"])
    else:
        others = {name: _value(cell) for name, cell in row.items() if name not in KNOWN_COLUMNS}
        payload = others or (known.payload if known else {})
    return SourceItem(id_of(row["external_id"]), title, payload)


def id_of(cell: Any) -> str:
    """A cell as an id or a title: a spreadsheet has made numbers and dates of some."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(text_of(_value(cell)))


def fate_of(item: SourceItem, known: Entry | None, *, kind: str) -> Fate:
    if known is None:
        return foresee(None, changed=False, same_kind=True)
    changed = known.content_hash != content_hash(item.title, item.payload)
    return foresee(EntryStatus(known.status), changed=changed, same_kind=known.kind == kind)


def changes_in(item: SourceItem, known: Entry) -> list[Change]:
    """What is different, member by member, the first dozen of them."""
    found = []
    if item.title != known.title:
        found.append(Change("title", _short(known.title), _short(item.title)))
    before, after = known.payload, item.payload
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new or (name in before) != (name in after):
            shown_old = _short(old) if name in before else ""
            found.append(Change(name, shown_old, _short(new) if name in after else ""))
    return found[:_MOST_CHANGES]


def _payload(cell: Any) -> Any:
    if isinstance(cell, str) and cell.strip():
        try:
            return json.loads(cell, parse_constant=_no_constant)
        except (RecursionError, ValueError) as error:
            raise RowRefused("payload", f"is not JSON: {str(error)[:160]}") from error
    if cell in ("", None) or (isinstance(cell, str) and not cell.strip()):
        raise RowRefused("payload", "is empty; write {} for a payload with nothing in it")
    return cell


def _value(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, datetime | date | time) else cell


def _short(value: Any) -> str:
    return Truncator(" ".join(text_of(value).split())).chars(_SHOWN)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _words(fate: Fate) -> tuple[str, str]:
    match fate:
        case Fate(Effect.CREATED):
            return "new", "New; would be queued"
        case Fate(Effect.UPDATED, None):
            return "changed", "Changed; would be queued"
        case Fate(Effect.UPDATED):
            return "changed", "Changed; is queued already"
        case Fate(Effect.UNCHANGED, None):
            return "unchanged", "Unchanged; not tried yet, would be queued"
        case Fate(Effect.UNCHANGED):
            return "unchanged", "Unchanged"
        case Fate(_, reason):
            return "alone", f"Left alone: {(reason or Reason.FORBIDDEN).words}"
