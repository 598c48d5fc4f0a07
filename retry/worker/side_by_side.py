"""A worker's way through runs whose entries wait for something outside: several at once.

The main thread speaks with PostgreSQL: it claims entries for the threads and records what became of
them. Time limits, the fence, the lease, holds, pauses and cancellations hold for each entry as for
entries that are processed one at a time.
"""

import time
from collections import defaultdict
from uuid import UUID

from entries.kinds.base import Kind
from entries.transitions import Outcome
from retry.runs.lifecycle import find_stopped, is_another_waiting
from retry.worker.activity import MAX_BEGUN, Activity
from retry.worker.bounds import begin_run, finish_run
from retry.worker.buffer import Item
from retry.worker.claim import Claim
from retry.worker.patience import DATABASE_AWAY, ENDLESS, UNTIL_SHUTDOWN, shutdown
from retry.worker.resync import LINGER_SECONDS as RESYNC_LINGER_SECONDS
from retry.worker.resync import SourceReader
from retry.worker.shares import Rates, Room, Share, fetch_upstreams
from retry.worker.threads import Threads

#: Outcomes are recorded together, at most this long after they happened.
GATHER_SECONDS = 0.05
#: How often it asks whether its runs have to stop, and at most waits without anything to do.
CHECK_SECONDS = 0.2
#: After so long it hands on what has not begun, if other work waits in its queue.
SLICE_SECONDS = 30.0
#: Runs at once: more are claimed only while all that is left of the others waits for an upstream.
MAX_SHARES = 48


class SideBySide:
    """One execution of runs of one kind.

    For ``linger`` seconds it claims further runs, whatever else waits.
    """

    def __init__(
        self, kind: Kind, *, activity: Activity, sources: SourceReader, linger: float
    ) -> None:
        self._kind = kind
        self._activity = activity
        self._sources = sources
        self._linger = linger
        self._threads = Threads(kind, activity=activity)
        self._shares: dict[UUID, Share] = {}
        self._rates = Rates()
        self._began = time.monotonic()
        self._checked, self._asked = self._began, float("-inf")
        self._yields = False

    def work_through(self, claim: Claim) -> None:
        """Process a claimed run, and those behind it."""
        self._last = claim
        self._add(claim)
        try:
            while self._shares:
                self._check()
                self._take()
                self._record()
                self._end_runs()
        finally:
            self._threads.close()

    # Runs.

    def _add(self, claim: Claim) -> None:
        run = claim.run
        share = Share(claim, begin_run(claim, activity=self._activity, sources=self._sources))
        if self._kind.upstream_concurrency is not None:
            share.upstreams = ENDLESS.ask(fetch_upstreams, run)
        self._shares[run.id] = share
        self._last = claim

    def _add_next(self) -> bool:
        """Claim a run behind the others; False where there is none, or none may be."""
        now = time.monotonic()
        if now - self._asked < CHECK_SECONDS or len(self._shares) >= MAX_SHARES:
            return False
        if self._last.run.resync and self._shares:
            return False  # reading its source would keep the others' outcomes waiting
        if not self._may_linger(now) or self._is_newest_blocked():
            return False
        try:
            claim = self._last.request_next(
                patience=UNTIL_SHUTDOWN, held=list(self._shares), side_by_side=True
            )
        except DATABASE_AWAY:  # and a shutdown: what is under way is still to be recorded
            claim = None
        if claim is None:
            self._asked = now
            return False
        self._add(claim)
        return True

    def _is_newest_blocked(self) -> bool:
        """Say whether nothing of the last run that was claimed could begin.

        The next one would depend on the same upstream, and another worker may ask it as well.
        """
        newest = self._shares.get(self._last.run.id)
        return newest is not None and not newest.has_begun and bool(newest.claim.rest)

    def _may_linger(self, now: float) -> bool:
        spent = now - self._began
        if self._stops_all() or not self._linger:
            return False
        if self._sources.is_ahead:
            return spent < RESYNC_LINGER_SECONDS
        return spent < self._linger or (spent < SLICE_SECONDS and not self._yields)

    def _check(self) -> None:
        """Stop what has to stop: nothing more of it begins."""
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            stopped = ENDLESS.ask(find_stopped, list(self._shares))
            if now - self._began >= self._linger:
                self._yields = ENDLESS.ask(is_another_waiting, self._last.run)
        else:
            stopped = set()
        everything = self._stops_all() or (self._yields and now - self._began >= SLICE_SECONDS)
        for run_id, share in self._shares.items():
            is_lost = self._activity.is_lost(run_id)
            if share.stops or not (everything or is_lost or run_id in stopped):
                continue
            share.stops, share.is_held = True, run_id in stopped
            not_begun = self._threads.buffer.withdraw(share.claim)
            share.taken -= len(not_begun)
            if not_begun and not is_lost:
                share.claim.put_back(not_begun)

    def _stops_all(self) -> bool:
        return shutdown.is_set() or self._threads.is_stuck

    def _end_runs(self) -> None:
        for run_id, share in list(self._shares.items()):
            if share.taken or (share.claim.rest and not share.stops):
                continue
            finish_run(share.claim, activity=self._activity, is_held=share.is_held)
            del self._shares[run_id]
            if not self._shares:
                self._add_next()

    # Entries.

    def _take(self) -> None:
        """Claim entries for the threads that are free, and some ahead."""
        buffer = self._threads.buffer
        used = buffer.count_by_upstream()
        room = Room(self._kind.upstream_concurrency, self._rates, used)
        ahead = min(self._rates.ahead(), self._kind.concurrency)
        wanted = min(self._kind.concurrency + ahead, MAX_BEGUN // 2) - used.total()
        if wanted < max(1, ahead // 4):
            return
        while wanted > 0:
            for share in [s for s in self._shares.values() if not s.stops and s.claim.rest]:
                ids = share.pick(wanted, room)
                if ids:
                    self._start(share, ids)
                    wanted -= len(ids)
            if wanted <= 0 or not self._add_next():
                return

    def _start(self, share: Share, ids: list[int]) -> None:
        share.has_begun = True
        entries = share.claim.take(ids, reading=share.reading)
        share.taken += len(entries)
        self._threads.start(Item(entry, share.claim) for entry in entries)

    def _record(self) -> None:
        taken = sum(share.taken for share in self._shares.values())
        if not taken:
            return
        ended = self._threads.wait(CHECK_SECONDS, gather=GATHER_SECONDS, expected=taken)
        by_run: dict[UUID, list[Outcome]] = defaultdict(list)
        for item, outcome in ended:
            by_run[item.claim.run.id].append(outcome)
        for run_id, outcomes in by_run.items():
            share = self._shares[run_id]
            share.claim.record(sorted(outcomes, key=lambda outcome: outcome.entry_id))
            share.taken -= len(outcomes)
            self._activity.forget(outcome.entry_id for outcome in outcomes)
        self._rates.count(outcome.upstream for _, outcome in ended)
