"""Why there was an attempt: its run, and the channel in which that was asked for."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from entries.models import Attempt, Entry
from retry.access.records import shield_runs
from retry.models import AuditEvent, Run, Trigger
from retry.outcomes import Actor

#: Events of an entry that are looked at, the newest.
_MOST_EVENTS = 200


def find_runs(entry: Entry, attempts: Sequence[Attempt], *, actor: Actor) -> Mapping[UUID, Run]:
    """Return the runs of attempts by id, each with a ``channel``; empty where the audit has none.

    The audit knows that of what was asked for one entry, and of operations. The reason of an
    operation that the actor sees a part of is left out.
    """
    ids = {attempt.run_id for attempt in attempts}
    runs = Run.objects.defer("entry_ids", "skipped").in_bulk(ids)
    shield_runs(runs.values(), actor=actor)
    operations = {run.operation_id for run in runs.values() if run.operation_id}
    own = AuditEvent.objects.filter(entry_id=entry.pk).order_by("-id")[:_MOST_EVENTS]
    by_run = {e["run_id"]: e["channel"] for e in own.values("run_id", "channel")}
    started = AuditEvent.objects.filter(
        operation_id__in=operations, verb__startswith="start_"
    ).values("operation_id", "channel")
    by_operation = {e["operation_id"]: e["channel"] for e in started} if operations else {}
    first = {attempt.run_id for attempt in attempts if attempt.number == 1}
    for id_, run in runs.items():
        if id_ in first and run.trigger == Trigger.AUTOMATIC:
            run.trigger = Trigger.SUBMIT  # it was deferred: nothing has failed before
        channel = by_operation.get(run.operation_id) if run.operation_id else by_run.get(id_)
        vars(run)["channel"] = channel or ""
    return runs
