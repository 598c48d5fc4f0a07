"""An operation as it is read: how far it is, and what it waits for."""

from uuid import UUID

from retry.api.http.progress import Reading
from retry.api.operations.responses import BulkProgressResponse
from retry.holds.overview import find_holds_on_operation, list_visible_ids
from retry.models import OperationState
from retry.operations.progress import read_progress
from retry.outcomes import Actor

#: States in which nothing happens until a person decides.
_FOR_PEOPLE = {OperationState.PAUSED, OperationState.AWAITING}


def read_operation(operation_id: UUID, *, actor: Actor) -> Reading:
    """Read what the actor may see of it. Raises ``OperationNotFound``."""
    progress = read_progress(operation_id, actor=actor)
    waits = not progress.finished and progress.planned + progress.queued
    holds = find_holds_on_operation(operation_id, actor=actor) if waits else []
    held_by = list_visible_ids((hold for hold, _ in holds), actor=actor)
    return Reading(
        BulkProgressResponse.from_progress(progress, held_by=held_by),
        settled=progress.finished or progress.operation.state in _FOR_PEOPLE,
        eta=progress.eta_seconds,
        held=bool(holds),
    )
