"""Probes of what the breaker holds: single entries, started to find out whether it works again."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from entries.errors import SourceError, WorkerLost
from entries.kinds import registry
from entries.kinds.base import Breaker
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from retry import audit, service
from retry.dispatcher.attention import FORGOTTEN_SECONDS
from retry.dispatcher.pacing import start_one
from retry.models import Hold, Run, RunState
from retry.outcomes import Actor
from retry.runs.backlog import BY_AGE, find_startable_runs
from retry.runs.hold_condition import STOPPED, find_active_holds
from retry.runs.probe import dismiss_probe, make_probe
from retry.sentences import NOTHING_WAITED, PROBE_ANSWERED, PROBE_SUCCEEDED

BREAKER = Actor.system("breaker")
#: How many runs are searched for an entry that still waits in them.
_RUNS = 20
#: Errors that say nothing about the upstream: the worker died, or a resync's source is down.
_NOT_THE_UPSTREAM = frozenset({WorkerLost.__name__, SourceError.__name__})


class Answer(Enum):
    """What a probe says about the upstream."""

    SUCCEEDED = "succeeded"
    #: It failed, but not with a transient error, so the upstream answers.
    ANSWERED = "answered"
    STILL_DOWN = "still down"
    #: The probe's worker died, or the probe was cancelled, or it had nothing to do.
    NOTHING = "nothing"
    NOT_YET = "not yet"


_LIFT_REASONS = {
    Answer.SUCCEEDED: PROBE_SUCCEEDED(),
    Answer.ANSWERED: PROBE_ANSWERED(),
}


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What was done about one hold: a probe was ``released``, or the hold was ``lifted``."""

    released: bool = False
    lifted: bool = False


def follow_up(hold: Hold) -> FollowUp:
    """Read the answer of a hold's probe and act on it, or release the next probe where it is due.

    One transaction, which locks the hold first.
    """
    with transaction.atomic():
        locked = _lock_hold(hold)
        if locked is None:
            return FollowUp()
        answer = _read_answer(locked)
        if answer in _LIFT_REASONS:
            service.lift_hold(locked.pk, actor=BREAKER, reason=_LIFT_REASONS[answer])
            return FollowUp(lifted=True)
        if answer is Answer.STILL_DOWN:
            _schedule_next(locked, probes=locked.probes + 1)
        elif answer is Answer.NOTHING:
            _schedule_next(locked, probes=locked.probes)
        if answer is None and _is_forgotten(locked):
            service.lift_hold(locked.pk, actor=BREAKER, reason=NOTHING_WAITED())
            return FollowUp(lifted=True)
        return FollowUp(released=answer is None and _release_probe(locked))


def _lock_hold(hold: Hold) -> Hold | None:
    """Return None where a person has lifted the hold or taken it over meanwhile."""
    active = Hold.objects.filter(pk=hold.pk, lifted_at=None, automatic=True)
    return active.select_for_update().first()


def _read_answer(hold: Hold) -> Answer | None:
    """Return None where no probe is under way."""
    if hold.probe_run_id is None:
        return None
    run = Run.objects.filter(pk=hold.probe_run_id).first()
    if run is None:
        return Answer.NOTHING
    if run.state == RunState.RUNNING:
        return Answer.NOT_YET  # if its worker is dead, the rescue ends the run
    if run.state == RunState.QUEUED:
        return Answer.NOT_YET if _may_begin(run) else Answer.NOTHING
    attempts = Attempt.objects.filter(entry_id__in=run.entry_ids, run_id=run.pk)
    return _judge_attempt(attempts.order_by("-number").first())


def _may_begin(run: Run) -> bool:
    """Return False for a probe that waits for something else, and make it a run like any other."""
    if find_startable_runs().filter(pk=run.pk).exists():
        return True
    return not dismiss_probe(run.pk)


def _judge_attempt(attempt: Attempt | None) -> Answer:
    if attempt is None:
        return Answer.NOTHING
    if attempt.status == AttemptStatus.SUCCEEDED:
        return Answer.SUCCEEDED
    if attempt.status != AttemptStatus.FAILED or attempt.error_class in _NOT_THE_UPSTREAM:
        return Answer.NOTHING
    return Answer.STILL_DOWN if attempt.transient else Answer.ANSWERED


def _schedule_next(hold: Hold, *, probes: int) -> None:
    wait = timedelta(seconds=_find_breaker(hold.kind).wait(probes=probes))
    Hold.objects.filter(pk=hold.pk).update(
        probes=probes, probe_run_id=None, next_probe_at=Now() + wait
    )


def _find_breaker(kind: str) -> Breaker:
    found = registry.find(kind)
    return (found and found.breaker) or Breaker()


def _release_probe(hold: Hold) -> bool:
    """Release the oldest entry that waits, where a probe is due. Where nothing waits, the probe
    stays due, and the next entry is tried at once.
    """
    due = Q(next_probe_at=None) | Q(next_probe_at__lte=Now())
    if not Hold.objects.filter(due, pk=hold.pk).exists():
        return False
    if hold.upstream and hold.kind in find_active_holds().kinds:
        return False  # the whole kind is held by a person, so no upstream of it is probed
    run = _probe_from_run(hold) or _make_scheduled_probe(hold)
    if run is None and not hold.upstream and start_one(hold.kind):
        run = _probe_from_run(hold)
    if run is None:
        return False
    Hold.objects.filter(pk=hold.pk).update(probe_run_id=run.pk)
    return True


def _is_forgotten(hold: Hold) -> bool:
    """Return whether nothing has waited for an upstream for long. Of thousands of hosts some never
    come back, and their holds would pile up. What comes later is judged as if the host were new.
    """
    long_due = Q(next_probe_at__lt=Now() - timedelta(seconds=FORGOTTEN_SECONDS))
    if not hold.upstream or not Hold.objects.filter(long_due, pk=hold.pk).exists():
        return False
    waiting = Run.objects.filter(kind=hold.kind, upstream=hold.upstream, state=RunState.QUEUED)
    scheduled = Entry.objects.filter(
        status=EntryStatus.SCHEDULED, kind=hold.kind, upstream=hold.upstream
    )
    return not waiting.exists() and not scheduled.exists()


def _probe_from_run(hold: Hold) -> Run | None:
    """Make a probe from the oldest run that waits for this hold only. Runs of the upstream alone
    come first; of mixed runs, which workers divide, only the oldest are searched.
    """
    elsewhere = Q(source_id__in=find_active_holds().source_ids) | Q(operation__state__in=STOPPED)
    waiting = Run.objects.filter(kind=hold.kind, state=RunState.QUEUED).exclude(elsewhere)
    ordered = waiting.order_by(*BY_AGE).select_for_update(of=("self",), skip_locked=True)
    groups = [ordered.filter(upstream=hold.upstream), ordered.filter(upstream="")]
    for group in groups if hold.upstream else [ordered]:
        for run in group[:_RUNS]:
            entry_id = _find_queued_entry(run, hold.upstream)
            if entry_id is not None:
                return _make_audited_probe(run, entry_id, hold.upstream)
    return None


def _find_queued_entry(run: Run, upstream: str) -> int | None:
    queued = Entry.objects.filter(pk__in=run.entry_ids, run_id=run.pk, status=EntryStatus.QUEUED)
    if upstream:
        queued = queued.filter(upstream=upstream)
    return queued.order_by("pk").values_list("pk", flat=True).first()


def _make_audited_probe(run: Run, entry_id: int, upstream: str) -> Run | None:
    probe = make_probe(run, entry_id=entry_id, upstream=upstream)
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


def _make_scheduled_probe(hold: Hold) -> Run | None:
    """Wake the first of the scheduled entries that are due, or else the one that is due next.

    What was never tried is not tried before its time: the application chose that.
    """
    scheduled = Entry.objects.filter(status=EntryStatus.SCHEDULED, kind=hold.kind)
    if hold.upstream:
        scheduled = scheduled.filter(upstream=hold.upstream)
    free = scheduled.exclude(source_id__in=find_active_holds().source_ids)
    found = (
        free.filter(next_attempt_at__lte=Now()).order_by("pk").first()
        or free.filter(attempt__gt=0).order_by("next_attempt_at", "pk").first()
    )
    if found is None:
        return None
    outcome = service.wake_entries([found.pk], actor=BREAKER, probe=True)
    return next((Run.objects.get(pk=i.run_id) for i in outcome.items if i.run_id), None)
