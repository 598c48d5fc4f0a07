"""A sample of the changes that a dry run would make; bounded and cleaned."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from entries.models import Entry
from entries.sources.base import SourceItem
from entries.storage import Comparison, MissingEntry
from entries.text import clean_text, scrub_value

#: Rows of each sort: new, changed, gone.
EACH = 7
_KEYS = 10
_VALUE = 200


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
            self._created.append(_describe_row(found.item.external_id, found.item.title, "created"))
        some = compared.changed[: EACH - len(self._updated)]
        if not some:
            return
        stored = Entry.objects.only("title", "payload").in_bulk([f.id for f in some])
        for found in some:
            entry = stored.get(found.id)
            changes = _describe_changes(entry, found.item) if entry else []
            what = "back" if found.gone else "updated"
            self._updated.append(
                _describe_row(found.item.external_id, found.item.title, what, changes)
            )

    def add_gone(self, gone: Iterable[MissingEntry]) -> None:
        self._gone.extend(_describe_row(entry.external_id, entry.title, "gone") for entry in gone)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [*self._created, *self._updated, *self._gone]


def _describe_row(
    external_id: str, title: str, what: str, changes: Sequence[Mapping[str, str]] = ()
) -> dict[str, Any]:
    return {
        "external_id": clean_text(external_id, limit=_VALUE),
        "title": clean_text(title, limit=_VALUE),
        "what": what,
        "changes": list(changes),
    }


def _describe_changes(entry: Entry, item: SourceItem) -> list[dict[str, str]]:
    """Describe what differs. The title is called "(title)", so no key of a payload is meant."""
    before: Mapping[str, Any] = entry.payload if isinstance(entry.payload, dict) else {}
    after = item.payload
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    changes = [_describe_change(key, before, after) for key in keys[:_KEYS]]
    if entry.title != item.title:
        changes.insert(
            0, _describe_change("(title)", {"(title)": entry.title}, {"(title)": item.title})
        )
    return changes


def _describe_change(
    key: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, str]:
    return {
        "key": clean_text(key, limit=100),
        "before": _describe_value(key, before),
        "after": _describe_value(key, after),
    }


def _describe_value(key: str, values: Mapping[str, Any]) -> str:
    """Return the value as JSON, cut and masked; empty where the key is missing."""
    if key not in values:
        return ""
    value = values[key]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clean_text(scrub_value(key, text), limit=_VALUE)
