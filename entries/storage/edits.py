"""Storing what people edit: only into entries that still hold what the edit began from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries.content import content_hash
from entries.kinds.upstreams import derive_upstream
from entries.sql import array, load
from entries.states import EntryStatus, find_allowed_statuses

_SQL = load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredContent:
    """What an entry held when it was read.

    ``raw``: the payload as PostgreSQL writes it, because Python has fewer digits than jsonb.
    """

    id: int
    kind: str
    #: The slug of its source.
    source: str | None
    status: EntryStatus
    title: str
    payload: Mapping[str, Any]
    raw: str

    @property
    def hash(self) -> str:
        return content_hash(self.title, self.payload)


@dataclass(frozen=True, slots=True)
class ContentEdit:
    """New content for an entry. ``before``: as the entry was read."""

    before: StoredContent
    title: str
    payload: Mapping[str, Any]


def read_content(ids: Iterable[int], *, lock: bool = False) -> list[StoredContent]:
    """Read what entries hold, in id order; ids that are not there are left out.

    With ``lock`` they stay locked until the caller's transaction ends.
    """
    with connection.cursor() as cursor:
        statement = _SQL["read_locked"] if lock else _SQL["read"]
        cursor.execute(statement, {"ids": array(ids)})
        return [
            StoredContent(
                id=id_,
                kind=kind,
                source=source,
                status=EntryStatus(status),
                title=title,
                payload=json.loads(raw),
                raw=raw,
            )
            for id_, kind, source, status, title, raw in cursor.fetchall()
        ]


def lock_entry(id_: int) -> None:
    """Lock an entry until the caller's transaction ends: what is read then is what is there."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["lock"], {"id": id_})


def edit(edits: Sequence[ContentEdit]) -> set[int]:
    """Store new content into entries that hold the same as when they were read; return their ids.

    What they held is kept for the attempt that follows, so a caller queues in the same transaction
    what was written. The entries must differ.
    """
    params: dict[str, Any] = {
        "ids": [each.before.id for each in edits],
        "titles_before": [each.before.title for each in edits],
        "payloads_before": [each.before.raw for each in edits],
        "titles": [each.title for each in edits],
        # What is not edited stays to the last digit.
        "payloads": [
            each.before.raw if each.payload is each.before.payload else json.dumps(each.payload)
            for each in edits
        ],
        "hashes": [content_hash(each.title, each.payload) for each in edits],
        "upstreams": [
            derive_upstream(each.before.kind, each.payload, source=each.before.source)
            for each in edits
        ],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["edit"], params)
        return {id_ for (id_,) in cursor.fetchall()}


def undo(ids: Iterable[int], *, run_ids: Sequence[UUID]) -> dict[int, EntryStatus | None]:
    """Undo the edits that were made for attempts of these runs, where the entry was not changed
    since and is at rest; return those left alone with their status.

    The status is None where there is no such entry. Statuses stay as they are.
    """
    wanted = list(ids)
    params: dict[str, Any] = {
        "ids": array(wanted),
        "run_ids": list(run_ids),
        "allowed": sorted(find_allowed_statuses("undo")),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["undo"], params)
        found = {id_: (status, written) for id_, status, written in cursor.fetchall()}
    left: dict[int, EntryStatus | None] = {}
    for id_ in wanted:
        status, written = found.get(id_, (None, False))
        if not written:
            left[id_] = EntryStatus(status) if status else None
    return left
