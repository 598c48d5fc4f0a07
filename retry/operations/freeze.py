"""What an operation will do is frozen at its start: the ids of its selection, in planned runs."""

from typing import Any

from entries.sql import as_sql
from retry.limits import allow_statement
from retry.models import Action, Operation
from retry.operations.selection import Selection
from retry.operations.sizes import LARGEST, LARGEST_REWRITTEN, choose_sizes
from retry.outcomes import Actor
from retry.runs import plan
from retry.runs.canary import draw_canary

#: Ten million entries take most of it.
FREEZE_SECONDS = 120


def freeze(operation: Operation, selection: Selection, *, actor: Actor) -> None:
    """Write the planned runs in one statement and draw the canary, in the caller's transaction;
    sets the operation's total and sources, which the caller saves.

    Constant memory here, whatever the size: the ids never leave the database.
    """
    allow_statement(FREEZE_SECONDS)
    text, params = _select(selection, actor=actor)
    judged = operation.max_failure_rate is not None
    largest = LARGEST_REWRITTEN if Action(operation.action).rewrites else LARGEST
    chosen = choose_sizes(rate=operation.rate_per_second, judged=judged, largest=largest)
    operation.total, operation.source_ids = plan.freeze(
        operation, selected=text, params=params, sizes=chosen
    )
    if operation.step_size:
        draw_canary(operation, wanted=operation.step_size)


#: ``found`` is Django's own SQL, with its values bound like all others.
_WITH_MISSING = """
SELECT w.id, coalesce(e.kind, ''), e.source_id FROM unnest(%(ids)s::bigint[]) AS w (id)
LEFT JOIN ({found}) AS e (id, kind, source_id) ON e.id = w.id
"""


def _select(selection: Selection, *, actor: Actor) -> tuple[str, dict[str, Any]]:
    """SQL for (id, kind, source_id) of the selection; ids that are not there, or that the actor
    may not see, come along without a kind.
    """
    found = selection.entries(actor=actor).order_by().values_list("id", "kind", "source_id")
    text, named = as_sql(found)
    if selection.ids:
        named["ids"] = sorted(set(selection.ids))
        text = _WITH_MISSING.format(found=text)
    return text, named
