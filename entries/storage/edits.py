"""Storing what people edit: only into entries that still hold what the edit began from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from entries.content import content_hash
from entries.kinds.upstreams import derive_upstream
from entries.sql import array, load
from entries.states import EntryStatus

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


def read_content(ids: Iterable[int]) -> list[StoredContent]:
    """Read what entries hold, in id order, without locking them; ids that are not there are left
    out."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["read"], {"ids": array(ids)})
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
        "payloads": [json.dumps(each.payload) for each in edits],
        "hashes": [content_hash(each.title, each.payload) for each in edits],
        "upstreams": [
            derive_upstream(each.before.kind, each.payload, source=each.before.source)
            for each in edits
        ],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["edit"], params)
        return {id_ for (id_,) in cursor.fetchall()}
