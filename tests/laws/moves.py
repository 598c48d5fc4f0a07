"""One driver for each verb of ``TRANSITIONS``: an entry in any status, and an attempt to move it.

A new verb is missing from ``DRIVERS`` until somebody adds it; a test says so.
"""

from collections.abc import Callable, Mapping
from uuid import UUID, uuid4

from django.utils import timezone

from entries import transitions
from entries.errors import WorkerLost
from entries.models import Entry
from entries.states import AttemptStatus, EntryStatus
from entries.text import describe_error
from entries.transitions import Adoption, Outcome, Reversal
from retry.models import Trigger
from retry.outcomes import Actor
from retry.runs.start import start_entries
from tests.factories.entries import EntryFactory, SourceFactory

LOST = describe_error(WorkerLost("it was there a moment ago"))

#: Moves one entry in the name of a run, or does not.
Driver = Callable[[Entry, UUID], object]


def make(status: EntryStatus, *, previous: str = EntryStatus.FAILED) -> Entry:
    """An entry as a long life leaves it: with a run id, an earlier failure, and its attempt."""
    trait = {} if status is EntryStatus.PENDING else {status.value: True}
    tried = status not in {EntryStatus.PENDING, EntryStatus.DISCARDED}
    entry = EntryFactory.create(
        **trait,
        source=SourceFactory.create(),
        attempt=int(tried),
        run_id=uuid4(),
        failed_at=timezone.now(),
        fingerprint="1-503",
    )
    entry.attempts.update(previous_status=previous)
    return entry


def _start(verb: str) -> Driver:
    """In a new run, which ``retry.runs`` writes with the same statement."""
    return lambda entry, _: start_entries(
        [entry.id],
        verb=verb,
        trigger=Trigger.RETRY,
        actor=Actor.system("law"),
        reason="",
        bulk=False,
    )


def _queue(verb: str) -> Driver:
    return lambda entry, run_id: transitions.queue([entry.id], verb=verb, run_ids=[run_id])


def _move(verb: str) -> Driver:
    return lambda entry, _: transitions.move([entry.id], verb=verb)


def _adopt(entry: Entry, run_id: UUID) -> object:
    assert entry.source_id is not None
    return transitions.adopt([Adoption(entry.external_id, LOST)], source_id=entry.source_id)


def _finish(status: EntryStatus) -> Driver:
    error = None if status is EntryStatus.SUCCEEDED else LOST
    delay = 1.0 if status is EntryStatus.SCHEDULED else None

    def drive(entry: Entry, run_id: UUID) -> object:
        ending = Outcome(entry.id, status, result={}, error=error, delay=delay)
        return transitions.finish([ending], run_id=run_id)

    return drive


def _rescue(limits: Mapping[str, int], *, began: bool = False) -> Driver:
    return lambda entry, run_id: transitions.rescue(
        [entry.id], run_id=run_id, rescue_limits=limits, error=LOST, began=began
    )


DRIVERS: Mapping[str, tuple[Driver, ...]] = {
    "submit": (_start("submit"), _queue("submit")),
    "defer": (lambda entry, _: transitions.defer([entry.id], until=timezone.now()),),
    "claim": (lambda entry, run_id: transitions.claim([entry.id], run_id=run_id, worker="w"),),
    "finish": tuple(
        _finish(s) for s in (EntryStatus.SUCCEEDED, EntryStatus.FAILED, EntryStatus.SCHEDULED)
    ),
    "adopt": (_adopt,),
    "wake": (_start("wake"), _queue("wake")),
    "retry": (_start("retry"), _queue("retry")),
    "retry_now": (_start("retry_now"), _queue("retry_now")),
    "repair": (_queue("repair"),),
    "stop": (_move("stop"),),
    "resync": (_start("resync"), _queue("resync")),
    "revert": (
        lambda entry, run_id: transitions.revert(
            [Reversal(entry.id, AttemptStatus.UNCHANGED)], run_id=run_id
        ),
        lambda entry, run_id: transitions.revert(
            [Reversal(entry.id, AttemptStatus.FAILED, LOST)], run_id=run_id
        ),
    ),
    "cancel": (lambda entry, run_id: transitions.cancel([entry.id], run_id=run_id),),
    "discard": (_move("discard"),),
    "restore": (_move("restore"),),
    "release": (lambda entry, run_id: transitions.release([entry.id], run_id=run_id),),
    "rescue": (_rescue({}), _rescue({}, began=True), _rescue({"page": 5}, began=True)),
    "resubmit": (_start("resubmit"), _queue("resubmit")),
}

#: Moves a run without a status: from queued to queued, under another fence.
REASSIGN: Driver = lambda entry, run_id: transitions.reassign(  # noqa: E731
    [entry.id], run_id=run_id, new_run_id=uuid4()
)
