"""The dispatcher's part in the breaker: trip it, probe, and let go."""

import logging
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction

from entries.kinds import registry
from entries.kinds.upstreams import has_upstreams
from retry.dispatcher import kind_outcomes as observing
from retry.dispatcher import verdict as judging
from retry.dispatcher.attention import due_holds
from retry.dispatcher.probes import BREAKER, attend
from retry.errors import AlreadyOnHold
from retry.holds import control
from retry.holds.condition import find_active_holds
from retry.limits import hurry_locks
from retry.models import Hold

logger = logging.getLogger(__name__)

_LOCK_SECONDS = 0.5


def watch(do: Callable[[Callable[[], int]], int] = lambda act: act()) -> int:
    """Look at the upstreams once; returns how many holds were put, probed or lifted.

    All of it stands in PostgreSQL: a new dispatcher goes on where the last one was. ``do`` does
    the part of each, so that one whose rows somebody holds keeps no other waiting.
    """
    done = sum(do(partial(_attend, hold)) for hold in due_holds())
    return done + (do(trip) if settings.REDRIVE_BREAKER else 0)


def _attend(hold: Hold) -> int:
    with transaction.atomic():
        hurry_locks(_LOCK_SECONDS)
        probed = attend(hold)
    return int(probed.released or probed.lifted)


def trip() -> int:
    """Hold each upstream of which nearly everything fails by a passing fault, and each kind that
    has no upstreams; returns how many.
    """
    on_hold = find_active_holds()
    breakers = {
        name: kind.breaker
        for name, kind in registry.all_kinds().items()
        if kind.breaker is not None and name not in on_hold.kinds
    }
    parted = [name for name, kind in registry.all_kinds().items() if has_upstreams(kind)]
    tripped = 0
    for (kind, upstream), recent in observing.recent(breakers, parted=parted).items():
        breaker = breakers[kind]
        seen = judging.trips(recent.outcomes, breaker=breaker)
        if seen is None or (kind, upstream) in on_hold.upstreams:
            continue
        why = judging.words(seen, message=recent.message)
        try:
            control.trip(kind, upstream, actor=BREAKER, reason=why, probe_after=breaker.first_probe)
        except AlreadyOnHold:
            continue
        told = {"kind": kind, "upstream": upstream, "why": why}
        logger.warning("breaker.tripped", extra=told)
        tripped += 1
    return tripped
