"""What a dry run shows of the changes it would make: a few of each kind, bounded and cleaned."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from entries.models import Entry
from entries.sources.base import SourceItem
from entries.storage import Comparison, Gone
from entries.text import clean_text, scrub

#: Of each: what is new, what changed, what is gone.
EACH = 7
_KEYS = 10
_VALUE = 200
#: A value is cut before it is scrubbed, well behind what is kept of it.
_LOOKED_AT = 2_000


class Sample:
    """JSON-safe rows: ``external_id``, ``title``, ``what`` (``created``, ``updated``, ``back``,
    ``gone``) and ``changes``, each a ``key`` with its value ``before`` and ``after``.
    """

    def __init__(self) -> None:
        self._created: list[dict[str, Any]] = []
        self._updated: list[dict[str, Any]] = []
        self._gone: list[dict[str, Any]] = []

    def add(self, compared: Comparison[SourceItem]) -> None:
        for found in compared.new[: EACH - len(self._created)]:
            self._created.append(_row(found.item.external_id, found.item.title, "created"))
        some = compared.changed[: EACH - len(self._updated)]
        if not some:
            return
        stored = Entry.objects.only("title", "payload").in_bulk([f.id for f in some])
        for found in some:
            entry = stored.get(found.id)
            changes = _changes(entry, found.item) if entry else []
            what = "back" if found.gone else "updated"
            self._updated.append(_row(found.item.external_id, found.item.title, what, changes))

    def add_gone(self, gone: Iterable[Gone]) -> None:
        self._gone.extend(_row(entry.external_id, entry.title, "gone") for entry in gone)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [*self._created, *self._updated, *self._gone]


def _row(
    external_id: str, title: str, what: str, changes: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    return {
        "external_id": clean_text(external_id, limit=_VALUE),
        "title": clean_text(title, limit=_VALUE),
        "what": what,
        "changes": list(changes),
    }


def _changes(entry: Entry, item: SourceItem) -> list[dict[str, str]]:
    """The title stands in parentheses, beside the keys of the payload."""
    before: Mapping[str, Any] = entry.payload if isinstance(entry.payload, dict) else {}
    after = item.payload
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    changes = [_change(key, before, after) for key in keys[:_KEYS]]
    if entry.title != item.title:
        changes.insert(0, _change("(title)", {"(title)": entry.title}, {"(title)": item.title}))
    return changes


def _change(key: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    return {
        "key": clean_text(key, limit=100),
        "before": _value(key, before),
        "after": _value(key, after),
    }


def _value(key: str, of: Mapping[str, Any]) -> str:
    """As JSON, and empty where the key is missing. A secret hides behind its key's name."""
    if key not in of:
        return ""
    text = of[key] if isinstance(of[key], str) else json.dumps(of[key], ensure_ascii=False)
    said = f"{key}: "
    shown = scrub(f"{said}{text[:_LOOKED_AT]}")
    return clean_text(shown.removeprefix(said), limit=_VALUE)
