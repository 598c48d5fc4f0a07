"""The verbs for entries: retry, resync, retry now, stop, discard, restore, submit and wake.

Each checks the actor's permission, changes what it changes in one transaction together with its
audit row, where it queues in one statement, and hands runs to RQ after the commit. Inside a
caller's transaction that is after its commit, and ``dispatched`` is False until then.
"""

import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext

from django.conf import settings
from django.db import transaction

from entries import transitions
from entries.models import Entry
from entries.states import EntryStatus
from retry import audit
from retry.access.permissions import DISCARD_ENTRY, RESYNC_ENTRY, RETRY_ENTRY
from retry.access.visibility import visible_ids
from retry.errors import TooManyEntries
from retry.models import Trigger
from retry.outcomes import Actor, ItemOutcome, QueueOutcome
from retry.reasons import Reason, reason_for
from retry.runs.start import Start, start_entries


def retry_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue failed entries with their stored input.

    Every distinct id gets an outcome, in id order: queued, or left alone with a reason. Hidden
    entries are not found. Raises ``NotPermitted``, and ``TooManyEntries`` for more than
    ``REDRIVE_SELECTION_LIMIT`` ids; both before anything is changed.
    """
    wanted, visible = _select(ids, actor=actor, permission=RETRY_ENTRY)
    return _queue_entries(
        wanted, visible, verb="retry", trigger=Trigger.RETRY, actor=actor, reason=reason
    )


def retry_entry(entry_id: int, *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, bool]:
    """Retry one entry; return its outcome and whether it has reached Redis.

    As ``retry_entries``, and raises ``EntryNotFound`` or ``NotRetryable`` instead of a reason.
    """
    return _take_one(retry_entries([entry_id], actor=actor, reason=reason), verb="retry")


def resync_entries(
    ids: Iterable[int], *, actor: Actor, reason: str = "", only_if_changed: bool = False
) -> QueueOutcome:
    """Queue entries to be fetched from their sources again and then processed.

    Takes every entry that is not queued or running and has a source. With ``only_if_changed``
    entries that have not changed at the source are not processed. Outcomes, limit and errors as for
    ``retry_entries``.
    """
    wanted, visible = _select(ids, actor=actor, permission=RESYNC_ENTRY)
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
    """Resync one entry; results and errors as for ``retry_entry``."""
    outcome = resync_entries(
        [entry_id], actor=actor, reason=reason, only_if_changed=only_if_changed
    )
    return _take_one(outcome, verb="resync")


def retry_entries_now(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue scheduled entries before their automatic retry is due; their retries start over.

    Outcomes, limit and errors as for ``retry_entries``.
    """
    wanted, visible = _select(ids, actor=actor, permission=RETRY_ENTRY)
    return _queue_entries(
        wanted, visible, verb="retry_now", trigger=Trigger.RETRY_NOW, actor=actor, reason=reason
    )


def retry_entry_now(entry_id: int, *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, bool]:
    """Retry one scheduled entry now; results and errors as for ``retry_entry``."""
    return _take_one(retry_entries_now([entry_id], actor=actor, reason=reason), verb="retry_now")


def stop_retrying(ids: Iterable[int], *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, ...]:
    """Mark scheduled entries failed: no automatic retry follows.

    Outcomes, limit and errors as for ``retry_entries``.
    """
    wanted, visible = _select(ids, actor=actor, permission=RETRY_ENTRY)
    return _settle(wanted, visible, verb="stop", actor=actor, reason=reason)


def stop_retrying_entry(entry_id: int, *, actor: Actor, reason: str = "") -> ItemOutcome:
    """Mark one scheduled entry failed; errors as for ``retry_entry``."""
    return _check_done(stop_retrying([entry_id], actor=actor, reason=reason), verb="stop")


def discard_entries(
    ids: Iterable[int], *, actor: Actor, reason: str = ""
) -> tuple[ItemOutcome, ...]:
    """Set pending, scheduled and failed entries aside.

    Outcomes, limit and errors as for ``retry_entries``.
    """
    wanted, visible = _select(ids, actor=actor, permission=DISCARD_ENTRY)
    return _settle(wanted, visible, verb="discard", actor=actor, reason=reason)


def discard_entry(entry_id: int, *, actor: Actor, reason: str = "") -> ItemOutcome:
    """Set one entry aside; errors as for ``retry_entry``."""
    return _check_done(discard_entries([entry_id], actor=actor, reason=reason), verb="discard")


def restore_entries(
    ids: Iterable[int], *, actor: Actor, reason: str = ""
) -> tuple[ItemOutcome, ...]:
    """Return discarded entries to ``failed``, or to ``pending`` where they never failed.

    Outcomes, limit and errors as for ``retry_entries``.
    """
    wanted, visible = _select(ids, actor=actor, permission=DISCARD_ENTRY)
    return _settle(wanted, visible, verb="restore", actor=actor, reason=reason)


def restore_entry(entry_id: int, *, actor: Actor, reason: str = "") -> ItemOutcome:
    """Restore one discarded entry; errors as for ``retry_entry``."""
    return _check_done(restore_entries([entry_id], actor=actor, reason=reason), verb="restore")


def submit_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue pending entries for their first attempt, behind every click.

    For entries that the system has just stored: needs no permission, and hides nothing from the
    actor. Outcomes as for ``retry_entries``.
    """
    wanted = sorted(set(ids))
    return _queue_entries(
        wanted, wanted, verb="submit", trigger=Trigger.SUBMIT, actor=actor, reason=reason
    )


def wake_entries(ids: Iterable[int], *, actor: Actor, probe: bool = False) -> QueueOutcome:
    """Queue scheduled entries whose automatic retry is due; the count of retries continues.

    For the dispatcher: needs no permission. A ``probe`` may begin in spite of the breaker's hold.
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


def _select(ids: Iterable[int], *, actor: Actor, permission: str) -> tuple[list[int], list[int]]:
    """Return the distinct ids in order, and those of them that the actor may see.

    Raises ``NotPermitted`` and ``TooManyEntries``.
    """
    wanted = sorted(set(ids))
    actor.require(permission)
    # More await approval, which only operations can.
    limit = min(settings.REDRIVE_SELECTION_LIMIT, settings.REDRIVE_APPROVAL_ABOVE or sys.maxsize)
    if len(wanted) > limit:
        raise TooManyEntries(limit=limit, given=len(wanted))
    return wanted, visible_ids(wanted, actor=actor)


def _settle(
    wanted: Sequence[int], visible: Sequence[int], *, verb: str, actor: Actor, reason: str
) -> tuple[ItemOutcome, ...]:
    """Make a move that needs no worker, with the ``visible`` ones of ``wanted``."""
    with transaction.atomic():
        before = _read_statuses(visible, lock=True)
        left_alone: dict[int, EntryStatus | None] = dict.fromkeys(set(wanted).difference(visible))
        left_alone |= transitions.move(visible, verb=verb)
        moved = [id_ for id_ in wanted if id_ not in left_alone]
        after = _read_statuses(moved)
        if moved:
            reached = sorted(set(after.values()))
            audit.record(
                verb,
                actor=actor,
                count=len(moved),
                reason=reason,
                entry_id=moved[0] if len(moved) == 1 else None,
                before={"status": sorted({before[id_].value for id_ in moved})},
                after={"status": reached[0] if len(reached) == 1 else reached},
            )
    return tuple(
        ItemOutcome(
            id_,
            left_alone.get(id_, after.get(id_)),
            None,
            reason=reason_for(left_alone[id_], verb=verb) if id_ in left_alone else None,
        )
        for id_ in wanted
    )


def _read_statuses(ids: Sequence[int], *, lock: bool = False) -> dict[int, EntryStatus]:
    found = Entry.objects.filter(pk__in=ids).order_by("pk")
    rows = (found.select_for_update() if lock else found).values_list("pk", "status")
    return {id_: EntryStatus(status) for id_, status in rows}


def _check_done(items: Sequence[ItemOutcome], *, verb: str) -> ItemOutcome:
    item = items[0]
    if item.reason is not None:
        raise item.refusal(verb)
    return item


def _take_one(outcome: QueueOutcome, *, verb: str) -> tuple[ItemOutcome, bool]:
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
    """Queue the ``visible`` ones of ``ids``; the others are not found."""
    # A person waits for a click; automatic retries, first attempts and large batches can wait.
    automatic = trigger is Trigger.AUTOMATIC or verb == "submit"
    # A wake locks with one statement what it moves with the next; all else is one statement.
    with transaction.atomic() if verb == "wake" else nullcontext():
        start = start_entries(
            visible,
            verb=verb,
            trigger=trigger,
            actor=actor,
            reason=reason,
            bulk=not probe and (automatic or len(ids) > settings.REDRIVE_CLICK_SIZE),
            only_if_changed=only_if_changed,
            probe=probe,
        )
    return QueueOutcome(tuple(_outcomes(ids, start, verb)), start.handover.done)


def _outcomes(ids: Sequence[int], start: Start, verb: str) -> Iterable[ItemOutcome]:
    results = {result.id: result for result in start.results}
    for id_ in ids:
        result = results.get(id_)
        if result is None or result.status is None:
            yield ItemOutcome(id_, None, 0, reason=Reason.NOT_FOUND)
        elif result.run_id is not None:
            yield ItemOutcome(
                id_,
                EntryStatus.QUEUED,
                result.attempt,
                run_id=result.run_id,
                job_id=start.runs[result.run_id].job_id,
            )
        else:
            why = reason_for(result.status, verb=verb, has_source=result.source_id is not None)
            yield ItemOutcome(id_, result.status, result.attempt, reason=why)
