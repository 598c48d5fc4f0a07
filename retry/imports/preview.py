"""The preview of an import: what would become of rows; bounded, cleaned and JSON-safe."""

from collections.abc import Mapping, Sequence
from typing import Any

from entries.content import is_same
from entries.sources.base import SourceItem
from entries.storage import Content
from entries.text import clean_text, scrub, scrub_value
from retry.imports.batches import Rejection
from retry.imports.cells import cell_text
from retry.submission import Effect, Fate, foresee

#: Rows shown of each sort: people read a preview.
SHOWN = 50
_ORDER = ("error", "changed", "new", "alone")
_SORTS = {
    Effect.CREATED: "new",
    Effect.UPDATED: "changed",
    Effect.UNCHANGED: "unchanged",
    Effect.LEFT_ALONE: "alone",
}
_VALUE = 160
_MOST_CHANGES = 12


class Sample:
    """Rows: ``line``, ``external_id``, ``title``, ``what`` (``new``, ``changed``, ``alone``,
    ``error``), ``reason`` (why it would not be queued), ``changes`` with ``name``, ``before`` and
    ``after`` each, and ``errors``.
    """

    def __init__(self, rows: Sequence[dict[str, Any]] = ()) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {what: [] for what in _ORDER}
        for row in rows:
            self._rows[row["what"]].append(row)
        #: Whether rows were added since it was last stored.
        self.is_new = False

    def add_rejection(self, rejection: Rejection) -> None:
        if self._has_room("error"):
            errors = [clean_text(scrub(error), limit=300) for error in rejection.errors]
            self._add(rejection.line, rejection.external_id, "", "error", errors=errors)

    def add(self, line: int, item: SourceItem, known: Content | None, fate: Fate) -> None:
        what = _SORTS[fate.effect]
        if self._has_room(what):
            changes = (
                _describe_changes(known, item) if known is not None and what == "changed" else []
            )
            reason = fate.reason.value if fate.reason is not None else ""
            self._add(line, item.external_id, item.title, what, reason=reason, changes=changes)

    def add_alone(self, line: int, external_id: str, reason: str) -> None:
        if self._has_room("alone"):
            self._add(line, external_id, "", "alone", reason=reason)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the rows to show, errors first."""
        return [row for what in _ORDER for row in self._rows[what]]

    def _has_room(self, what: str) -> bool:
        return what in self._rows and len(self._rows[what]) < SHOWN

    def _add(self, line: int, external_id: str, title: str, what: str, **more: Any) -> None:
        row = {
            "line": line,
            "external_id": clean_text(external_id, limit=200),
            "title": clean_text(title, limit=200),
            "what": what,
            "reason": "",
            "changes": [],
            "errors": [],
        }
        self._rows[what].append(row | more)
        self.is_new = True


def predict_fate(item: SourceItem, known: Content | None, *, kind: str) -> Fate:
    """Predict what ``submit`` would do with ``item`` now."""
    if known is None:
        return foresee(None, changed=False, same_kind=True)
    changed = item.title != known.title or not is_same(item.payload, known.payload)
    return foresee(known.status, changed=changed, same_kind=known.kind == kind)


def _describe_changes(known: Content, item: SourceItem) -> list[dict[str, str]]:
    """Describe the first dozen members that differ."""
    before, after = _as_mapping(known.payload), _as_mapping(item.payload)
    found = []
    if item.title != known.title:
        found.append(_describe_change("title", {"title": known.title}, {"title": item.title}))
    for name in sorted({*before, *after}):
        in_both = name in before and name in after
        if not in_both or not is_same(before[name], after[name]):
            found.append(_describe_change(name, before, after))
        if len(found) == _MOST_CHANGES:
            break
    return found


def _as_mapping(payload: Any) -> Mapping[str, Any]:
    return payload if isinstance(payload, dict) else {}


def _describe_change(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, str]:
    return {
        "name": clean_text(name, limit=100),
        "before": _shorten(name, before),
        "after": _shorten(name, after),
    }


def _shorten(name: str, values: Mapping[str, Any]) -> str:
    """Return the value's text, cut and masked; empty where the name is missing."""
    if name not in values:
        return ""
    text = scrub_value(name, cell_text(values[name]))
    return clean_text(" ".join(text.split()), limit=_VALUE)
