"""What failures write into their groups: new ones, times, names, and the ends of mute and rest."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from entries.sql import load
from retry.models import MOST_NAMES
from retry.notices.events import record_groups

_SQL = load(__file__)

#: Who regresses and opens groups, in the audit.
RECORDER = "dispatcher"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedFailures:
    """Attempts of one kind and source that failed alike within a minute.

    ``message`` has what varies replaced; ``upstreams`` are at most ten of those they depended on.
    """

    fingerprint: str
    error_class: str
    message: str
    kind: str
    source_id: int | None
    upstreams: Sequence[str]
    count: int
    first_at: datetime
    last_at: datetime
    sample_entry_id: int | None


def record_failures(folded: Sequence[FoldedFailures]) -> None:
    """Note failures in their groups, in the transaction that folds them.

    Each failure is given exactly once. A fingerprint may come several times in one call, once for
    each kind, source and minute.

    A failure in a resolved group regresses it, a failure in a muted one opens it where its time is
    over or its number exceeded; both with an audit event.
    """
    by_group: dict[str, list[FoldedFailures]] = defaultdict(list)
    for failures in folded:
        by_group[failures.fingerprint].append(failures)
    if not by_group:
        return
    params: dict[str, Any] = {
        "failures": json.dumps([_merge(alike) for alike in by_group.values()]),
        "most": MOST_NAMES,
        "recorder": RECORDER,
    }
    with connection.cursor() as cursor:
        # A statement of its own: the next one sees what was committed while this one waited.
        cursor.execute(_SQL["lock"], {"fingerprints": list(by_group)})
        cursor.execute(_SQL["record"], params)
        found = cursor.fetchall()
    record_groups(
        new=[id_ for id_, regressed in found if not regressed],
        regressed=[id_ for id_, regressed in found if regressed],
    )


def _merge(alike: Sequence[FoldedFailures]) -> dict[str, Any]:
    """Merge failures of one fingerprint into a row of JSON."""
    newest = max(alike, key=lambda failures: failures.last_at)
    return {
        "fingerprint": newest.fingerprint,
        "error_class": newest.error_class,
        "message": newest.message[:500],
        "kinds": _list_distinct(failures.kind for failures in alike),
        "upstreams": _list_distinct(name for failures in alike for name in failures.upstreams),
        "first_at": min(failures.first_at for failures in alike).isoformat(),
        "last_at": newest.last_at.isoformat(),
        "number": sum(failures.count for failures in alike),
        "sample": newest.sample_entry_id,
    }


def _list_distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))[:MOST_NAMES]
