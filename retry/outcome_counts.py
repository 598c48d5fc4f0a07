"""Outcome counts: rows that workers append, for the history and for the breaker.

An outcome is how an attempt ended: it succeeded, or it failed, whatever then becomes of its entry.
"""

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from entries.fingerprints import normalise
from entries.kinds import registry
from entries.models import NOTICE_SOURCE_KIND
from entries.sql import load
from entries.text import clean_text, one_line
from entries.transitions import Outcome
from retry.models import OutcomeFlush, Run

_SQL = load(__file__)
#: Seconds up to which the durations of one bucket go; the last bucket has no bound. New ones would
#: need a new column: the totals have what was counted by these.
DURATION_BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_LONGEST_MESSAGE = 200
#: Samples of the upstreams that failed alike: there can be as many as entries.
_MOST_UPSTREAMS = 10
#: What the last automatic retry adds to a message says nothing about the error.
_TRIES = re.compile(r" \(gave up after [0-9]+ attempts\)$")


def append(outcomes: Sequence[Outcome], *, run: Run) -> None:
    """Append what one worker has just written of its run, in the transaction that writes it.

    One statement, whatever the number of outcomes: a row for the successes, one for each
    fingerprint among the failures, and one for each upstream where the kind has a breaker.
    """
    if not outcomes:
        return
    params = _count(outcomes, run=run)
    found = registry.find(run.kind)
    if found is None or found.breaker is None:
        _execute(_SQL["append_counts"], params)
    else:
        _execute(_SQL["append_both"], params | _tally(outcomes, run=run))


def append_failures(failures: Sequence[Outcome], *, run: Run) -> None:
    """Append attempts that failed without being processed; they say nothing about upstreams."""
    if failures:
        _execute(_SQL["append_counts"], _count(failures, run=run))


def append_losses(count: int, *, run: Run) -> None:
    """Append attempts that ended with their worker and are repeated; they are no outcomes."""
    if count:
        OutcomeFlush.objects.create(
            kind=run.kind, source_id=run.source_id, count=count, lost=True, seconds=0.0, buckets=[]
        )


def append_foreign_failures(
    failures: Iterable[tuple[datetime, Outcome]], *, kind: str, source_id: int
) -> None:
    """Append attempts that failed elsewhere, each in the minute in which it did.

    In the transaction that adopts them. They say nothing about upstreams as they are now.
    """
    by_minute: dict[datetime, list[Outcome]] = defaultdict(list)
    for failed_at, outcome in failures:
        by_minute[failed_at.replace(second=0, microsecond=0)].append(outcome)
    counts = [
        row | {"at": minute.isoformat()}
        for minute, alike in by_minute.items()
        for row in _count_failures(alike)
    ]
    params = {"kind": kind, "source": source_id, "counts": json.dumps(counts)}
    _execute(_SQL["append_counts"], params | {"notices": NOTICE_SOURCE_KIND})


def _execute(statement: str, params: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _count(outcomes: Sequence[Outcome], *, run: Run) -> dict[str, Any]:
    failures: list[Outcome] = []
    successes: list[Outcome] = []
    for outcome in outcomes:
        (successes if outcome.error is None else failures).append(outcome)
    rows = _count_failures(failures) if failures else []
    if successes:
        rows.append(_build_row(successes))
    return {
        "kind": run.kind,
        "source": run.source_id,
        "counts": json.dumps(rows),
        "notices": NOTICE_SOURCE_KIND,
    }


def _count_failures(failures: Iterable[Outcome]) -> list[dict[str, Any]]:
    alike: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in failures:
        alike[outcome.error.fingerprint if outcome.error else ""].append(outcome)
    return [_describe(fingerprint, found) for fingerprint, found in alike.items()]


def _describe(fingerprint: str, alike: Sequence[Outcome]) -> dict[str, Any]:
    first = alike[0]
    upstreams: dict[str, None] = {}
    for outcome in alike:
        upstreams[outcome.upstream] = None
        if len(upstreams) > _MOST_UPSTREAMS:
            break
    named = [upstream for upstream in upstreams if upstream]
    row = _build_row(alike, fingerprint=fingerprint, upstreams=named[:_MOST_UPSTREAMS])
    if first.error is not None:
        row |= {
            "error_class": first.error.error_class,
            "message": describe_alike(first.error.message),
            "sample": first.entry_id,
        }
    return row


def describe_alike(message: str) -> str:
    """Return what messages have in common with all that failed alike."""
    return clean_text(normalise(_TRIES.sub("", message)), limit=_LONGEST_MESSAGE)


def _build_row(
    alike: Sequence[Outcome], *, fingerprint: str = "", upstreams: Sequence[str] = ()
) -> dict[str, Any]:
    seconds, buckets = 0.0, [0] * (len(DURATION_BOUNDS) + 1)
    for outcome in alike:
        if outcome.seconds is not None:
            seconds += outcome.seconds
            buckets[bisect_left(DURATION_BOUNDS, outcome.seconds)] += 1
    return {
        "fingerprint": fingerprint,
        "error_class": "",
        "message": "",
        "upstreams": upstreams,
        "count": len(alike),
        "sample": None,
        "seconds": seconds,
        "buckets": buckets,
    }


def _tally(outcomes: Sequence[Outcome], *, run: Run) -> dict[str, Any]:
    by_upstream: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_upstream[outcome.upstream].append(outcome)
    return {
        "began_at": run.started_at,
        "upstreams": list(by_upstream),
        "totals": [len(found) for found in by_upstream.values()],
        "transients": [sum(o.transient for o in found) for found in by_upstream.values()],
        "messages": [_find_most_frequent(found) for found in by_upstream.values()],
    }


def _find_most_frequent(outcomes: Iterable[Outcome]) -> str:
    """Return the message of the most frequent transient error, on one line."""
    found = Counter(o.error.message for o in outcomes if o.transient and o.error is not None)
    return one_line(found.most_common(1)[0][0], limit=_LONGEST_MESSAGE) if found else ""
