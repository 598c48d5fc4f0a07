"""The breaker: it puts upstreams that fail on hold, probes them, and lifts its holds."""

import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction

from entries.kinds import registry
from entries.kinds.upstreams import has_upstreams
from retry import service
from retry.dispatcher import verdict
from retry.dispatcher.attention import find_due_holds
from retry.dispatcher.kind_outcomes import read_recent
from retry.dispatcher.probes import BREAKER, follow_up
from retry.holds.errors import AlreadyOnHold
from retry.limits import hurry_locks
from retry.models import Hold
from retry.runs.hold_condition import find_active_holds

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 0.5


def watch(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Look at the upstreams once; return how many holds were put, probed or lifted.

    The state is in PostgreSQL, so a new dispatcher continues where the last one stopped. ``do``
    runs the part of each hold, so that one with locked rows does not delay the others.
    """
    done = sum(do(partial(_follow_up, hold)) for hold in find_due_holds())
    return done + (do(trip) if settings.REDRIVE_BREAKER else 0)


def _follow_up(hold: Hold) -> int:
    with transaction.atomic():
        hurry_locks(_LOCK_SECONDS)
        done = follow_up(hold)
    return int(done.released or done.lifted)


def trip() -> int:
    """Put each upstream on hold of which nearly everything fails with a transient error, and each
    such kind that has no upstreams; return how many.
    """
    on_hold = find_active_holds()
    breakers = {
        name: kind.breaker
        for name, kind in registry.all_kinds().items()
        if kind.breaker is not None and name not in on_hold.kinds
    }
    with_upstreams = [name for name, kind in registry.all_kinds().items() if has_upstreams(kind)]
    tripped = 0
    recent = read_recent(breakers, with_upstreams=with_upstreams)
    for (kind, upstream), found in recent.items():
        breaker = breakers[kind]
        seen = verdict.judge(found.outcomes, breaker=breaker)
        if seen is None or (kind, upstream) in on_hold.keys:
            continue
        why = verdict.describe(seen, message=found.message)
        try:
            service.trip_breaker(
                kind, upstream, actor=BREAKER, reason=why, probe_after=breaker.first_probe
            )
        except AlreadyOnHold:
            continue
        fields = {"kind": kind, "upstream": upstream, "why": why}
        logger.warning("breaker.tripped", extra=fields)
        tripped += 1
    return tripped
