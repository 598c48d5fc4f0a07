"""The control loop. Any number may run; the one that holds the lease acts.

Two that act at once do no harm: every step is a conditional statement or locks what it changes.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from entries.storage import fold_status_changes
from retry import heartbeats, service
from retry.dispatcher.breaker import watch
from retry.dispatcher.hold_sweep import Sweep
from retry.dispatcher.kind_outcomes import prune
from retry.dispatcher.leadership import Leadership, LeadershipLost
from retry.dispatcher.losses import Losses
from retry.dispatcher.outcome_fold import fold, fold_older
from retry.dispatcher.pacing import pace
from retry.dispatcher.repair import LapsedRuns, hand_over_again
from retry.dispatcher.retention import Retention
from retry.error_groups.sweep import GroupSweep
from retry.errors import QueueUnavailable
from retry.imports import control as imports
from retry.intakes import handover as intakes
from retry.intakes import rows
from retry.limits import hurry_locks
from retry.models import Run
from retry.notices.delivery import tell_due
from retry.notices.outage_watch import OutageWatch
from retry.runs.backlog import find_due_entries, find_undispatched_runs
from retry.runs.handover import hand_over
from retry.runs.ramp import Ramp, read_ramp
from retry.runs.rescue import DISPATCHER, rescue

logger = logging.getLogger(__name__)

#: How many runs, and how many entries, one step takes, so that the heartbeat stays regular.
_BATCH = 500
_WAKE = 5_000
#: How long a rescue waits for locked rows of one run, and how long all of a tick may take: a pace
#: must not wait until hundreds of runs are rescued.
_RESCUE_LOCK_SECONDS = 0.2
_RESCUE_SECONDS = 1.0
_PRUNE_SECONDS = 10.0
_FOLD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did, in counts. ``acted`` is False where another dispatcher holds the lease."""

    acted: bool
    handed_over: int = 0
    handed_over_again: int = 0
    woken: int = 0
    rescued: int = 0
    started: int = 0
    syncs: int = 0
    syncs_lost: int = 0
    #: Holds that the breaker has put, probed or lifted, and runs detached from Redis for a hold.
    holds: int = 0
    #: Notices that were queued for those who want to know.
    told: int = 0
    #: Steps that failed. The others are done all the same; the next tick tries these again.
    broken: int = 0
    redis: bool = True

    @property
    def busy(self) -> bool:
        return self != Tick(acted=self.acted, redis=self.redis)

    @property
    def has_more(self) -> bool:
        """Return whether the next tick should follow at once."""
        batches = (self.handed_over, self.handed_over_again)
        return bool(self.started or self.rescued) or max(batches) >= _BATCH or self.woken >= _WAKE


class Dispatcher:
    """``holder``: the name that holds the lease, this process's own unless given."""

    def __init__(self, *, holder: str = "") -> None:
        self._leadership = Leadership(started_at=timezone.now(), holder=holder)
        self._broken = 0
        self._redis = True
        self._losses = Losses()
        self._lapsed = LapsedRuns()
        self._sweep = Sweep()
        self._groups = GroupSweep()
        self._outages = OutageWatch()
        self._retention = Retention()
        self._pruned_at = -_PRUNE_SECONDS
        self._folded_at = -_FOLD_SECONDS

    def tick(self) -> Tick:
        """Do every step once, if this dispatcher holds the lease. Raises only ``DatabaseError``,
        where the database is away.
        """
        if not self._leadership.take():
            return Tick(acted=False)
        began = time.monotonic()
        try:
            done = self._act()
        except LeadershipLost:
            logger.warning("dispatcher.lease_lost")
            return Tick(acted=False)
        seconds = round(time.monotonic() - began, 3)
        self._leadership.save_tick(asdict(done) | {"seconds": seconds})
        if done.busy:
            logger.info("dispatcher.tick", extra=asdict(done))
        return done

    def stop(self) -> None:
        """Let another dispatcher take over at once."""
        self._leadership.give_up()

    def _act(self) -> Tick:
        self._broken = 0
        rescued = self._do(self._rescue)
        holds = self._do(lambda: service.lift_ended_holds(actor=DISPATCHER))
        holds += self._do(partial(watch, self._do)) + self._do(self._sweep.step)
        self._do(self._prune)
        self._do(self._fold)
        ramp = read_ramp()
        # The oldest first: retries are mostly older than first tries that wait, and those are older
        # than what the pace starts now.
        woken = self._do(partial(self._wake, ramp))
        handed_over = self._do(lambda: hand_over(find_undispatched_runs(limit=_BATCH, ramp=ramp)))
        self._do(ramp.save)
        started = self._do(partial(pace, self._do))
        self._do(lambda: service.settle_proofs(actor=DISPATCHER))
        self._do(lambda: service.unmute_due_groups(actor=DISPATCHER))
        self._do(self._groups.step)
        lost = self._do(lambda: service.fail_lost_syncs(actor=DISPATCHER))
        lost += self._do(lambda: service.repeat_lost_imports(actor=DISPATCHER))
        self._do(lambda: imports.forget_old_files(actor=DISPATCHER))
        due = self._do(lambda: service.request_due_syncs(actor=DISPATCHER))
        handed_over += self._do(lambda: intakes.hand_over(rows.find_undispatched(limit=_BATCH)))
        again = self._do(self._hand_over_again)
        self._do(heartbeats.prune)
        self._do(self._outages.step)
        told = self._do(partial(tell_due, self._do))
        self._do(self._retention.step)
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
            told=told,
            broken=self._broken,
            redis=self._redis,
        )

    def _do(self, step: Callable[[], int | None]) -> int:
        """Do one step if the lease is held; where it fails, log that and return 0.

        Raises ``LeadershipLost``, and ``DatabaseError`` where the connection is lost.
        """
        self._leadership.keep()
        try:
            return step() or 0
        except LeadershipLost:
            raise
        except (DatabaseError, InterfaceError) as error:
            if not connection.is_usable():
                raise
            logger.warning("dispatcher.step_failed", extra={"error": str(error)[:200]})
        except Exception:
            logger.exception("dispatcher.step_failed")
        self._broken += 1
        return 0

    def _rescue(self) -> int:
        """Leave runs with locked rows for a later tick; they do not delay the others."""
        rescued = 0
        deadline = time.monotonic() + _RESCUE_SECONDS
        for run in self._lapsed.find(limit=_BATCH):
            if time.monotonic() > deadline:
                break
            rescued += self._do(partial(_rescue_run, run))
        return rescued

    def _wake(self, ramp: Ramp) -> int:
        ids = find_due_entries(limit=_WAKE, ramp=ramp)
        return service.wake_entries(ids, actor=DISPATCHER).queued if ids else 0

    def _prune(self) -> None:
        if time.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            prune()
            fold_older(self._do)

    def _fold(self) -> None:
        """Fold once a second, however short ticks are."""
        if time.monotonic() - self._folded_at >= min(_FOLD_SECONDS, settings.REDRIVE_TICK_SECONDS):
            self._folded_at = time.monotonic()
            fold(self._do)
            self._do(fold_status_changes)

    def _hand_over_again(self) -> int:
        try:
            missing = self._losses.find(limit=_BATCH)
        except QueueUnavailable:
            self._redis = False
            return 0
        self._redis = True
        return hand_over_again(missing) if missing else 0


def _rescue_run(run: Run) -> int:
    with transaction.atomic():
        hurry_locks(_RESCUE_LOCK_SECONDS)
        return rescue(run)
