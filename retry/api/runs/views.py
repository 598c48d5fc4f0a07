"""Runs: look at one, and wait for it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from retry.access.permissions import VIEW_RUN
from retry.access.records import shield_runs, visible_runs
from retry.access.visibility import visible_ids
from retry.api.http.progress import Reading, WaitQuery, answer_progress
from retry.api.http.routes import Routes
from retry.api.http.watch import Subject
from retry.api.runs.schemas import RunDetail
from retry.errors import RunNotFound
from retry.holds.overview import find_holds_on_run, list_visible_ids
from retry.models import RunState
from retry.operations.items import list_run_items
from retry.outcomes import Actor

routes = Routes()

_ENDED = {RunState.FINISHED, RunState.CANCELLED}


@routes.get("runs/<uuid:run_id>", name="run", query=WaitQuery, answers=RunDetail)
def show_run(request: HttpRequest, actor: Actor, run_id: UUID) -> HttpResponse:
    return answer_progress(request, Subject.RUN, run_id, lambda: _read(run_id, actor=actor))


def _read(run_id: UUID, *, actor: Actor) -> Reading:
    """Raises ``RunNotFound``; ``NotPermitted`` for a run that another has requested."""
    run = visible_runs(actor).select_related("source", "operation").filter(pk=run_id).first()
    if run is None or run.actor_id is None or run.actor_id != actor.user_id:
        actor.require(VIEW_RUN)
    items = None if run is None else list_run_items(run, actor=actor)
    if run is None or items is None:
        raise RunNotFound(run_id)
    shield_runs([run], actor=actor)
    total = len(visible_ids(run.entry_ids, actor=actor))
    holds = find_holds_on_run(run)
    held_by = list_visible_ids(holds, actor=actor)
    model = RunDetail.from_run(run, items, total=total, held_by=held_by)
    return Reading(model, settled=run.state in _ENDED, held=bool(holds))
