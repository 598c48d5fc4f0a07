"""The one control loop. Any number may run; a PostgreSQL advisory lock lets one act at a time."""

import logging
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from retry import service
from retry.breaker.breaking import watch
from retry.breaker.observing import prune
from retry.errors import QueueUnavailable
from retry.holds.sweep import Sweep
from retry.models import Heartbeat
from retry.operations.pacing import pace
from retry.ramp import Ramp, ramp
from retry.reconcile.compare import compare
from retry.reconcile.observe import WorkId, lapsed, observe
from retry.reconcile.repair import DISPATCHER, hand_over_again, rescue
from retry.runs import hand_over
from retry.syncs import control as syncs
from retry.syncs import rows
from retry.waiting import due_entries, undispatched

logger = logging.getLogger(__name__)

#: Any constant of our own; two databases on one server do not share advisory locks.
_LOCK = 7_318_001
#: At most so much of each in one tick, so that the heartbeat stays regular.
_BATCH = 500
_WAKE = 5_000
_PRUNE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did, in counts. ``acted`` is False where another dispatcher held the lock."""

    acted: bool
    handed_over: int = 0
    handed_over_again: int = 0
    woken: int = 0
    rescued: int = 0
    started: int = 0
    syncs: int = 0
    syncs_lost: int = 0
    #: Holds that the breaker has put, probed or lifted, and runs taken out of Redis for a hold.
    holds: int = 0
    redis: bool = True

    @property
    def busy(self) -> bool:
        idle = Tick(acted=self.acted, redis=self.redis)
        return self != idle

    @property
    def more(self) -> bool:
        """There is more to do at once."""
        return bool(self.started) or self.handed_over >= _BATCH or self.woken >= _WAKE


class Dispatcher:
    def __init__(self) -> None:
        self._started_at = timezone.now()
        self._suspects: Mapping[WorkId, float] = {}
        self._sweep = Sweep()
        self._pruned_at = -_PRUNE_SECONDS

    def tick(self) -> Tick:
        """Look once and put right what can be put right. Raises ``DatabaseError`` only."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return Tick(acted=False)
        try:
            done = self._act()
            self._beat(done)
        finally:
            # After a lost connection there is nothing to unlock: the lock went with its session.
            if connection.is_usable():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
        if done.busy:
            logger.info("dispatcher.tick", extra=asdict(done))
        return done

    def _act(self) -> Tick:
        rescued = sum(rescue(run) for run in lapsed(limit=_BATCH))
        holds = watch() + self._sweep.step()
        self._prune()
        allowance = ramp()
        # What has been tried before is mostly older than what waits for its first try, and that is
        # older than what is started now.
        woken = self._wake(allowance)
        handed_over = hand_over(undispatched(limit=_BATCH, ramp=allowance))
        allowance.note()
        started = pace()
        lost = syncs.fail_lost_syncs(actor=DISPATCHER)
        due = syncs.request_due_syncs(actor=DISPATCHER)
        handed_over += rows.hand_over(rows.undispatched(limit=_BATCH))
        again, redis = self._reconcile()
        return Tick(
            acted=True,
            handed_over=handed_over,
            handed_over_again=again,
            woken=woken,
            rescued=rescued,
            started=started,
            syncs=due,
            syncs_lost=lost,
            holds=holds,
            redis=redis,
        )

    def _wake(self, allowance: Ramp) -> int:
        """Of those that are due the oldest first, whatever has kept them waiting."""
        ids = due_entries(limit=_WAKE, ramp=allowance)
        return service.wake_entries(ids, actor=DISPATCHER).queued if ids else 0

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            prune()

    def _reconcile(self) -> tuple[int, bool]:
        try:
            snapshot = observe()
        except QueueUnavailable:
            # Nothing is known about Redis, so nothing may be concluded from an absence.
            self._suspects = {}
            return 0, False
        verdict = compare(
            snapshot,
            suspects=self._suspects,
            now=time.monotonic(),
            absent_seconds=settings.REDRIVE_TICK_SECONDS,
            taken_seconds=settings.REDRIVE_CLAIM_SECONDS,
        )
        self._suspects = verdict.suspects
        return hand_over_again(verdict.missing) if verdict.missing else 0, True

    def _beat(self, done: Tick) -> None:
        Heartbeat.objects.update_or_create(
            name=Heartbeat.DISPATCHER,
            defaults={
                "host": socket.gethostname()[:200],
                "pid": os.getpid(),
                "started_at": self._started_at,
                "beat_at": Now(),
                "last_tick": asdict(done),
            },
        )
