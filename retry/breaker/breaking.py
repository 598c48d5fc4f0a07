"""The dispatcher's part in the breaker: trip it, probe, and let go."""

import logging

from django.conf import settings

from entries.kinds import registry
from retry.breaker import judging, observing
from retry.breaker.probing import BREAKER, attend
from retry.errors import AlreadyOnHold
from retry.holds import control
from retry.models import Hold

logger = logging.getLogger(__name__)


def watch() -> int:
    """Look at the kinds once; returns how many holds were put, probed or lifted.

    All of it stands in PostgreSQL: a new dispatcher goes on where the last one was.
    """
    probed = [attend(hold) for hold in Hold.objects.filter(lifted_at=None, automatic=True)]
    done = sum(each.released or each.lifted for each in probed)
    return done + (trip() if settings.REDRIVE_BREAKER else 0)


def trip() -> int:
    """Hold the kinds of which nearly everything fails by a passing fault; returns how many."""
    on_hold = set(Hold.objects.filter(lifted_at=None).values_list("kind", flat=True))
    breakers = {
        name: kind.breaker
        for name, kind in registry.all_kinds().items()
        if kind.breaker is not None and name not in on_hold
    }
    tripped = 0
    for kind, recent in observing.recent(breakers).items():
        breaker = breakers[kind]
        seen = judging.trips(recent.outcomes, breaker=breaker)
        if seen is None:
            continue
        why = judging.words(seen, message=observing.most_frequent(recent.run_ids))
        try:
            control.trip(kind, actor=BREAKER, reason=why, probe_after=breaker.first_probe)
        except AlreadyOnHold:
            continue
        logger.warning("breaker.tripped", extra={"kind": kind, "why": why})
        tripped += 1
    return tripped
