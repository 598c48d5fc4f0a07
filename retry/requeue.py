"""The verbs. Every channel parses, resolves the actor, and calls one of these.

Each verb checks the actor's permission, changes what it changes in one transaction together with
its audit, and hands work to RQ after the commit. Called inside somebody else's transaction the
hand-over waits for that one, and ``dispatched`` is False until then.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from entries import transitions
from entries.states import EntryStatus
from retry import audit, submission
from retry.access.permissions import RESYNC_ENTRY, RETRY_ENTRY
from retry.access.visibility import visible_ids
from retry.errors import TooManyEntries
from retry.holds.condition import find_active_holds
from retry.models import Run, Trigger
from retry.outcomes import Actor, ItemOutcome, QueueOutcome
from retry.reasons import Reason, reason_for
from retry.runs.creation import collect_members, create_runs, run_sizes
from retry.runs.handover import Handover

#: The verb for pipelines that push has a module of its own.
submit = submission.submit


def retry_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Put failed entries back to work with their stored input.

    Every distinct id gets an outcome: queued, or left alone with a reason. At most
    ``REDRIVE_SELECTION_LIMIT`` ids. Raises ``NotPermitted`` and ``TooManyEntries``, before
    anything is changed.
    """
    wanted, visible = _selected(ids, actor=actor, permission=RETRY_ENTRY)
    return _queue_entries(
        wanted, visible, verb="retry", trigger=Trigger.RETRY, actor=actor, reason=reason
    )


def retry_entry(entry_id: int, *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, bool]:
    """``retry_entries`` for one: its outcome, and whether it has reached Redis.

    Raises ``EntryNotFound`` and ``NotRetryable`` where ``retry_entries`` gives a reason.
    """
    return _only(retry_entries([entry_id], actor=actor, reason=reason), verb="retry")


def resync_entries(
    ids: Iterable[int], *, actor: Actor, reason: str = "", only_if_changed: bool = False
) -> QueueOutcome:
    """Have entries fetched fresh from their sources, what changed stored, and then processed.

    From any resting status; what has no source is left alone. With ``only_if_changed`` an entry of
    which the source has nothing new is not processed. Outcomes, limit and errors as of
    ``retry_entries``.
    """
    wanted, visible = _selected(ids, actor=actor, permission=RESYNC_ENTRY)
    return _queue_entries(
        wanted,
        visible,
        verb="resync",
        trigger=Trigger.RESYNC,
        actor=actor,
        reason=reason,
        only_if_changed=only_if_changed,
    )


def resync_entry(
    entry_id: int, *, actor: Actor, reason: str = "", only_if_changed: bool = False
) -> tuple[ItemOutcome, bool]:
    """``resync_entries`` for one, as ``retry_entry`` is for ``retry_entries``."""
    outcome = resync_entries(
        [entry_id], actor=actor, reason=reason, only_if_changed=only_if_changed
    )
    return _only(outcome, verb="resync")


def retry_entries_now(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue scheduled entries before their automatic retry is due, in a new cycle of retries.

    Outcomes, limit and errors as of ``retry_entries``.
    """
    wanted, visible = _selected(ids, actor=actor, permission=RETRY_ENTRY)
    return _queue_entries(
        wanted, visible, verb="retry_now", trigger=Trigger.RETRY_NOW, actor=actor, reason=reason
    )


def retry_entry_now(entry_id: int, *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, bool]:
    """``retry_entries_now`` for one, as ``retry_entry`` is for ``retry_entries``."""
    return _only(retry_entries_now([entry_id], actor=actor, reason=reason), verb="retry_now")


def stop_retrying(ids: Iterable[int], *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, ...]:
    """Let scheduled entries be ``failed``: no automatic retry comes any more.

    An outcome for each; limit and errors as of ``retry_entries``.
    """
    wanted, visible = _selected(ids, actor=actor, permission=RETRY_ENTRY)
    unnamed = uuid4()
    with transaction.atomic():
        left = transitions.move([(id_, unnamed) for id_ in visible], verb="stop")
        statuses: dict[int, EntryStatus | None] = dict.fromkeys(set(wanted).difference(visible))
        statuses |= {id_: group.status for group in left for id_ in group.ids}
        stopped = [id_ for id_ in wanted if id_ not in statuses]
        if stopped:
            audit.record(
                "stop",
                actor=actor,
                count=len(stopped),
                reason=reason,
                entry_id=stopped[0] if len(stopped) == 1 else None,
                before={"status": [EntryStatus.SCHEDULED.value]},
                after={"status": EntryStatus.FAILED.value},
            )
    return tuple(
        ItemOutcome(
            id_,
            statuses.get(id_, EntryStatus.FAILED),
            None,
            reason=reason_for(statuses[id_], verb="stop") if id_ in statuses else None,
        )
        for id_ in wanted
    )


def stop_retrying_entry(entry_id: int, *, actor: Actor, reason: str = "") -> ItemOutcome:
    """``stop_retrying`` for one. Raises ``EntryNotFound`` and ``NotRetryable``."""
    item = stop_retrying([entry_id], actor=actor, reason=reason)[0]
    if item.reason is not None:
        raise item.refusal("stop")
    return item


def submit_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue pending entries for their first attempt, where no click has to wait behind them;
    outcomes as in ``retry_entries``.

    For what the system itself has just stored, whoever it did that for: nothing is hidden.
    """
    wanted = sorted(set(ids))
    return _queue_entries(
        wanted, wanted, verb="submit", trigger=Trigger.SUBMIT, actor=actor, reason=reason
    )


def wake_entries(ids: Iterable[int], *, actor: Actor, probe: bool = False) -> QueueOutcome:
    """Queue scheduled entries whose automatic retry is due; the cycle goes on.

    As a ``probe`` they may begin although the breaker holds what they depend on.
    """
    wanted = sorted(set(ids))
    return _queue_entries(
        wanted,
        wanted,
        verb="wake",
        trigger=Trigger.AUTOMATIC,
        actor=actor,
        reason="",
        probe=probe,
    )


def _selected(ids: Iterable[int], *, actor: Actor, permission: str) -> tuple[list[int], list[int]]:
    """All that were asked for, and those that are not hidden from the actor; distinct, in order.

    Raises ``NotPermitted`` and ``TooManyEntries``.
    """
    wanted = sorted(set(ids))
    actor.require(permission)
    limit = settings.REDRIVE_SELECTION_LIMIT
    if len(wanted) > limit:
        raise TooManyEntries(limit=limit, given=len(wanted))
    return wanted, visible_ids(wanted, actor=actor)


def _only(outcome: QueueOutcome, *, verb: str) -> tuple[ItemOutcome, bool]:
    item = outcome.items[0]
    if not item.queued:
        raise item.refusal(verb)
    return item, outcome.dispatched


def _queue_entries(
    ids: Sequence[int],
    visible: Sequence[int],
    *,
    verb: str,
    trigger: Trigger,
    actor: Actor,
    reason: str,
    only_if_changed: bool = False,
    probe: bool = False,
) -> QueueOutcome:
    """One transaction for all that commits together, one code path for one and for many.

    Of ``ids`` only what is ``visible`` is touched; the rest is not found.
    """
    # What no person waits for gets out of the way of what one does.
    by_itself = trigger is Trigger.AUTOMATIC or verb == "submit"
    bulk = not probe and (by_itself or len(ids) > settings.REDRIVE_CLICK_SIZE)
    on_hold = find_active_holds()
    with transaction.atomic():
        seen = transitions.queue(
            visible, verb=verb, run_sizes=run_sizes(), held=sorted(on_hold.upstreams)
        )
        queued = collect_members(seen)
        runs = create_runs(
            queued,
            trigger=trigger,
            actor=actor,
            reason=reason,
            bulk=bulk,
            resync=verb == "resync",
            only_if_changed=only_if_changed,
            probe=probe,
            on_hold=on_hold,
        )
        if runs:
            audit.record(
                verb,
                actor=actor,
                count=len(queued),
                reason=reason,
                entry_id=queued[0].id if len(queued) == 1 else None,
                run_id=runs[0].id if len(runs) == 1 else None,
                before={"status": sorted({s.status.value for s in seen if s.run_id})},
                after={"status": EntryStatus.QUEUED.value, "runs": len(runs)},
            )
        handing = Handover([run for run in runs if run.dispatches])
    return QueueOutcome(tuple(_items(ids, seen, runs, verb)), handing.done)


def _items(
    ids: Sequence[int], seen: Sequence[transitions.QueueResult], runs: Sequence[Run], verb: str
) -> Iterable[ItemOutcome]:
    found = {s.id: s for s in seen}
    jobs: dict[UUID, str] = {run.id: run.job_id for run in runs}
    for id_ in ids:
        s = found.get(id_)
        if s is None:
            yield ItemOutcome(id_, None, 0, reason=Reason.NOT_FOUND)
        elif s.run_id is not None:
            yield ItemOutcome(
                id_, EntryStatus.QUEUED, s.attempt, run_id=s.run_id, job_id=jobs[s.run_id]
            )
        else:
            why = reason_for(s.status, verb=verb, has_source=s.source_id is not None)
            yield ItemOutcome(id_, s.status, s.attempt, reason=why)
