"""The start of an operation from a form, and where that leads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from entries.repairs import Repair
from retry import service
from retry.access.permissions import OPERATE, VIEW_OPERATION
from retry.admin.operations.words import describe_start, warn_repeated_form
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import BACK, get_list_url
from retry.admin.shared.messages import add_messages
from retry.errors import IdempotencyKeyReused
from retry.models import Action, Operation
from retry.operations.pace import Pace
from retry.operations.selection import Selection, require_eligible


def launch(
    request: HttpRequest,
    selection: Selection,
    *,
    action: Action,
    reason: str,
    key: str,
    pace: Pace | None = None,
    only_if_changed: bool = False,
    repair: Repair | None = None,
    back: str = "",
) -> HttpResponse:
    """Start an operation and redirect to its page.

    A form that is submitted again, changed or not, leads to the operation it started before. Users
    who may not see operations return to the list of entries, as ``back`` has it. Raises
    ``RetryError``, also ``NothingEligible`` where no entry would be changed.
    """
    actor = get_actor(request)
    actor.require(OPERATE[action])
    repeated = Operation.objects.filter(actor_label=actor.label, idempotency_key=key).exists()
    if not repeated:
        require_eligible(selection, action=action, actor=actor)
    try:
        operation = service.start_operation(
            selection,
            action=action,
            actor=actor,
            reason=reason,
            pace=pace,
            only_if_changed=only_if_changed,
            repair=repair,
            idempotency_key=key,
        )
    except IdempotencyKeyReused as error:
        operation = Operation.objects.get(pk=error.operation_id)
    visible = request.user.has_perm(VIEW_OPERATION)
    if repeated:
        add_messages(request, warn_repeated_form())
    elif not visible:
        add_messages(request, describe_start(operation))
    if not visible:
        return redirect(get_list_url(back))
    page = reverse("admin:retry_operation_change", args=[operation.pk])
    return redirect(f"{page}?{urlencode({BACK: back})}" if back else page)
