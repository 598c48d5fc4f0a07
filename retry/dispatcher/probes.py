"""Single entries that depend on what is held, released to find out whether it works again."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from uuid import uuid4

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from entries import transitions
from entries.errors import SourceError, UnknownKind, WorkerLost
from entries.kinds import registry
from entries.kinds.base import Breaker
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from retry import audit, service
from retry.dispatcher.attention import FORGOTTEN_SECONDS
from retry.dispatcher.pacing import start_one
from retry.holds import control
from retry.holds.condition import STOPPED, find_active_holds
from retry.models import Hold, Run, RunState, Trigger
from retry.outcomes import Actor
from retry.runs.creation import create_runs, transfer_members
from retry.runs.routing import choose_queue
from retry.runs.waiting import BY_AGE, find_startable

BREAKER = Actor.system("breaker")
#: Runs that are looked at for an entry still waiting in them.
_RUNS = 20
#: Failures in which the kind had no part: its worker died, or the source of a resync is away.
_SAY_NOTHING = frozenset({WorkerLost.__name__, SourceError.__name__})


class Answer(Enum):
    """What a probe has shown of whatever the kind depends on."""

    SUCCEEDED = "succeeded"
    #: It failed, but not by a passing fault: whatever it depends on answers.
    ANSWERED = "answered"
    STILL_DOWN = "still down"
    #: Its worker died, or it was cancelled, or there was nothing to do.
    NOTHING = "nothing"
    NOT_YET = "not yet"


_WHY = {
    Answer.SUCCEEDED: "a probe succeeded",
    Answer.ANSWERED: "a probe failed by no passing fault",
}


@dataclass(frozen=True, slots=True)
class Probed:
    """What was done about one hold."""

    released: bool = False
    lifted: bool = False


def attend(hold: Hold) -> Probed:
    """Look what became of its probe, and release the next one where it is time."""
    with transaction.atomic():
        locked = _locked(hold)
        if locked is None:
            return Probed()
        answer = _answer(locked)
        if answer in _WHY:
            control.lift(locked.pk, actor=BREAKER, reason=_WHY[answer])
            return Probed(lifted=True)
        if answer is Answer.STILL_DOWN:
            _wait(locked, probes=locked.probes + 1)
        elif answer is Answer.NOTHING:
            _wait(locked, probes=locked.probes)
        if answer is None and _is_forgotten(locked):
            control.lift(locked.pk, actor=BREAKER, reason="nothing has waited for it")
            return Probed(lifted=True)
        return Probed(released=answer is None and _release(locked))


def _locked(hold: Hold) -> Hold | None:
    """None where somebody has lifted it or taken it over meanwhile."""
    standing = Hold.objects.filter(pk=hold.pk, lifted_at=None, automatic=True)
    return standing.select_for_update().first()


def _answer(hold: Hold) -> Answer | None:
    """None where no probe is under way."""
    if hold.probe_run_id is None:
        return None
    run = Run.objects.filter(pk=hold.probe_run_id).first()
    if run is None:
        return Answer.NOTHING
    if run.state == RunState.RUNNING:
        return Answer.NOT_YET  # if its worker is dead, the rescue ends the run
    if run.state == RunState.QUEUED:
        return Answer.NOT_YET if _may_begin(run) else Answer.NOTHING
    tried = Attempt.objects.filter(entry_id__in=run.entry_ids, run_id=run.pk)
    return _answer_of(tried.order_by("-number").first())


def _may_begin(run: Run) -> bool:
    """False for a probe that has to wait for something else, and is a probe no longer."""
    if find_startable().filter(pk=run.pk).exists():
        return True
    return not Run.objects.filter(pk=run.pk, state=RunState.QUEUED).update(probe=False)


def _answer_of(attempt: Attempt | None) -> Answer:
    if attempt is None:
        return Answer.NOTHING
    if attempt.status == AttemptStatus.SUCCEEDED:
        return Answer.SUCCEEDED
    if attempt.status != AttemptStatus.FAILED or attempt.error_class in _SAY_NOTHING:
        return Answer.NOTHING
    return Answer.STILL_DOWN if attempt.transient else Answer.ANSWERED


def _wait(hold: Hold, *, probes: int) -> None:
    wait = timedelta(seconds=_breaker_of(hold.kind).wait(probes=probes))
    Hold.objects.filter(pk=hold.pk).update(
        probes=probes, probe_run_id=None, next_probe_at=Now() + wait
    )


def _breaker_of(kind: str) -> Breaker:
    try:
        return registry.get(kind).breaker or Breaker()
    except UnknownKind:
        return Breaker()


def _release(hold: Hold) -> bool:
    """Let the oldest entry that waits go ahead, where it is time. With nothing waiting there is
    nothing to try, and whatever comes next is tried at once.
    """
    due = Q(next_probe_at=None) | Q(next_probe_at__lte=Now())
    if not Hold.objects.filter(due, pk=hold.pk).exists():
        return False
    if hold.upstream and hold.kind in find_active_holds().kinds:
        return False  # what a person holds whole is not probed
    run = _from_a_run(hold) or _from_the_scheduled(hold)
    if run is None and not hold.upstream and start_one(hold.kind):
        run = _from_a_run(hold)
    if run is None:
        return False
    Hold.objects.filter(pk=hold.pk).update(probe_run_id=run.pk)
    return True


def _is_forgotten(hold: Hold) -> bool:
    """An upstream for which nothing has waited for long: of thousands of hosts some are gone for
    good, and their holds would only pile up. Whatever comes is judged as if it were new.
    """
    long_due = Q(next_probe_at__lt=Now() - timedelta(seconds=FORGOTTEN_SECONDS))
    if not hold.upstream or not Hold.objects.filter(long_due, pk=hold.pk).exists():
        return False
    waiting = Run.objects.filter(kind=hold.kind, upstream=hold.upstream, state=RunState.QUEUED)
    scheduled = Entry.objects.filter(
        status=EntryStatus.SCHEDULED, kind=hold.kind, upstream=hold.upstream
    )
    return not waiting.exists() and not scheduled.exists()


def _from_a_run(hold: Hold) -> Run | None:
    """Out of the oldest run that waits for nothing but this hold. Those that depend on nothing
    else come first; of the others, which workers take apart, only the oldest are looked at.
    """
    elsewhere = Q(source_id__in=find_active_holds().source_ids) | Q(operation__state__in=STOPPED)
    waiting = Run.objects.filter(kind=hold.kind, state=RunState.QUEUED).exclude(elsewhere)
    ordered = waiting.order_by(*BY_AGE).select_for_update(of=("self",), skip_locked=True)
    places = [ordered.filter(upstream=hold.upstream), ordered.filter(upstream="")]
    for place in places if hold.upstream else [ordered]:
        for run in place[:_RUNS]:
            entry_id = _first_waiting(run, hold.upstream)
            if entry_id is not None:
                return _carved(run, entry_id, hold.upstream)
    return None


def _first_waiting(run: Run, upstream: str) -> int | None:
    in_it = Entry.objects.filter(pk__in=run.entry_ids, run_id=run.pk, status=EntryStatus.QUEUED)
    if upstream:
        in_it = in_it.filter(upstream=upstream)
    return in_it.order_by("pk").values_list("pk", flat=True).first()


def _carved(run: Run, entry_id: int, upstream: str) -> Run | None:
    """A run of that entry alone; ``run`` goes on without it, so that sums over runs stay true."""
    probe = _made_one(run, upstream) if run.size == 1 else _split(run, entry_id, upstream)
    if probe is not None:
        audit.record(
            "probe",
            actor=BREAKER,
            count=1,
            entry_id=entry_id,
            run_id=probe.pk,
            operation_id=run.operation_id,
        )
    return probe


def _made_one(run: Run, upstream: str) -> Run:
    """Where no click has to wait behind it; a job that it still has finds it taken."""
    queue = choose_queue(run.kind, bulk=False)
    Run.objects.filter(pk=run.pk).update(
        probe=True, queue=queue, dispatched_at=None, upstream=upstream or run.upstream
    )
    return run


def _split(run: Run, entry_id: int, upstream: str) -> Run | None:
    new_run_id = uuid4()
    moved = transitions.reassign([entry_id], run_id=run.pk, new_run_id=new_run_id)
    made = create_runs(
        transfer_members(run, moved, run_id=new_run_id, upstream=upstream),
        trigger=Trigger(run.trigger),
        actor=Actor.system(run.actor_label),
        reason=run.reason,
        bulk=False,
        parent=run,
        held=True,
        probe=True,
    )
    if not made:
        return None
    left = [id_ for id_ in run.entry_ids if id_ not in moved]
    Run.objects.filter(pk=run.pk).update(entry_ids=left, size=len(left))
    return made[0]


def _from_the_scheduled(hold: Hold) -> Run | None:
    """The oldest of those that are due, else the one that is due first."""
    scheduled = Entry.objects.filter(status=EntryStatus.SCHEDULED, kind=hold.kind)
    if hold.upstream:
        scheduled = scheduled.filter(upstream=hold.upstream)
    free = scheduled.exclude(source_id__in=find_active_holds().source_ids)
    found = (
        free.filter(next_attempt_at__lte=Now()).order_by("pk").first()
        or free.order_by("next_attempt_at", "pk").first()
    )
    if found is None:
        return None
    outcome = service.wake_entries([found.pk], actor=BREAKER, probe=True)
    return next((Run.objects.get(pk=i.run_id) for i in outcome.items if i.run_id), None)
