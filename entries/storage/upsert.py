"""Creating entries, and storing the changes of known ones."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django.db import connection

from entries.content import content_hash
from entries.sql import load
from entries.storage.identity import FRAGMENTS
from entries.storage.upstreams import list_upstreams

_SQL = load(__file__, include=FRAGMENTS)


class NewEntry(Protocol):
    """``external_id`` is 1 to 500 characters, ``title`` at most 500, ``payload`` a JSON object."""

    @property
    def external_id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...


N = TypeVar("N", bound=NewEntry)


@dataclass(frozen=True, slots=True)
class Difference(Generic[N]):
    """An item that is not stored as it is. ``id``: of its entry; None where there is none."""

    item: N
    hash: str
    id: int | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Comparison(Generic[N]):
    """Items without an entry, and items whose entry holds something else or counts as gone."""

    new: list[Difference[N]]
    changed: list[Difference[N]]
    unchanged: int


@dataclass(frozen=True, slots=True)
class UpsertResult:
    """Ids of the entries written, and how many items were stored already."""

    created: list[int]
    updated: list[int]
    unchanged: int


def compare_entries(
    *, source_id: int | None, items: Iterable[N], keep: Collection[str] = ()
) -> Comparison[N]:
    """Return what ``upsert_entries`` would do now; lock and write nothing.

    Of items with the same external id the first one counts.
    """
    first: dict[str, N] = {}
    for item in items:
        first.setdefault(item.external_id, item)
    hashes = {id_: content_hash(item.title, item.payload) for id_, item in first.items()}
    known = _find_known(source_id, hashes)
    new: list[Difference[N]] = []
    changed: list[Difference[N]] = []
    for external_id, item in first.items():
        id_, same, gone = known.get(external_id, (None, False, False))
        if (same or external_id in keep) and id_ is not None and not gone:
            continue
        found = Difference(item, hashes[external_id], id_, gone)
        (new if id_ is None else changed).append(found)
    return Comparison(new, changed, len(first) - len(new) - len(changed))


def upsert_entries(
    *, source_id: int | None, kind: str, items: Iterable[NewEntry], keep: Collection[str] = ()
) -> UpsertResult:
    """Create entries as ``pending``, or store the changes of known ones.

    Known entries whose external id is in ``keep`` hold what people have made of them, and stay.
    The status of a known entry stays. One that counted as gone is no longer gone, which is an
    update. Unchanged entries are neither written nor locked. Of items with the same external id
    the first one counts.
    """
    compared = compare_entries(source_id=source_id, items=items, keep=keep)
    differing = [*compared.new, *compared.changed]
    rows = _store(source_id, kind, differing) if differing else []
    created = sorted(id_ for id_, fresh in rows if fresh)
    updated = sorted(id_ for id_, fresh in rows if not fresh)
    # Another transaction may have stored the same meanwhile.
    return UpsertResult(created, updated, compared.unchanged + len(differing) - len(rows))


def _find_known(
    source_id: int | None, hashes: Mapping[str, str]
) -> dict[str, tuple[int, bool, bool]]:
    """Return by external id: the entry's id, whether its content is the same, and if it is gone."""
    params = {
        "source_id": source_id,
        "external_ids": list(hashes),
        "hashes": list(hashes.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["compare"], params)
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}


def _store(
    source_id: int | None, kind: str, differing: Sequence[Difference[Any]]
) -> list[tuple[int, bool]]:
    params: dict[str, Any] = {
        "source_id": source_id,
        "kind": kind,
        "external_ids": [d.item.external_id for d in differing],
        "titles": [d.item.title for d in differing],
        "payloads": [json.dumps(d.item.payload) for d in differing],
        "hashes": [d.hash for d in differing],
        "upstreams": list_upstreams(source_id, kind, [d.item for d in differing]),
        "ids": [d.id for d in differing],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["upsert"], params)
        return [(id_, fresh) for id_, fresh in cursor.fetchall()]
