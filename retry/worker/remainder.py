"""What a worker leaves of a run, because it depends on an upstream that is on hold."""

from collections import defaultdict
from uuid import uuid4

from django.db import transaction

from entries import transitions
from entries.kinds.upstreams import depends_on_upstreams
from entries.models import Entry
from entries.states import EntryStatus
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.creation import create_runs, transfer_members


def hand_on_held(run: Run) -> int:
    """Give what was left queued at the end of ``run`` to runs of one upstream each, which wait for
    their hold; returns how many entries.
    """
    if not depends_on_upstreams(run.kind):
        return 0
    left: dict[str, list[int]] = defaultdict(list)
    queued = Entry.objects.filter(pk__in=run.entry_ids, run_id=run.pk, status=EntryStatus.QUEUED)
    for id_, upstream in queued.order_by("pk").values_list("pk", "upstream"):
        left[upstream].append(id_)
    return sum(_hand_on(run, upstream, ids) for upstream, ids in left.items())


def _hand_on(run: Run, upstream: str, ids: list[int]) -> int:
    new_run_id = uuid4()
    with transaction.atomic():
        moved = transitions.reassign(ids, run_id=run.id, new_run_id=new_run_id)
        create_runs(
            transfer_members(run, moved, run_id=new_run_id, upstream=upstream),
            trigger=Trigger(run.trigger),
            actor=Actor.system(run.actor_label),
            reason=run.reason,
            bulk=True,
            parent=run,
            held=True,
        )
    return len(moved)
