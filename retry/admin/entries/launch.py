"""Starting an operation from a form, and where that leads."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from retry.access.permissions import OPERATE, VIEW_OPERATION
from retry.admin.entries.criteria import BACK, list_url
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.errors import IdempotencyKeyReused
from retry.models import Action, Operation
from retry.operations import control
from retry.operations.control import Pace
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
    back: str = "",
) -> HttpResponse:
    """Start it and go to its page; a form that is sent again leads to what it had started, also
    where something was changed in it since.

    Whoever may not see operations goes back to the entries, as ``back`` has the list. Raises
    ``RetryError``, also ``NothingEligible`` where it would leave everything alone.
    """
    actor = actor_of(request)
    actor.require(OPERATE[action])
    sent_before = Operation.objects.filter(actor_label=actor.label, idempotency_key=key).exists()
    if not sent_before:
        require_eligible(selection, action=action, actor=actor)
    try:
        operation = control.start(
            selection,
            action=action,
            actor=actor,
            reason=reason,
            pace=pace,
            only_if_changed=only_if_changed,
            idempotency_key=key,
        )
    except IdempotencyKeyReused as error:
        operation = Operation.objects.get(pk=error.operation_id)
    visible = request.user.has_perm(VIEW_OPERATION)
    if sent_before:
        words.show(request, [words.of_the_same_form()])
    elif not visible:
        words.show(request, [words.of_started(operation)])
    if not visible:
        return redirect(list_url(back))
    page = reverse("admin:retry_operation_change", args=[operation.pk])
    return redirect(f"{page}?{urlencode({BACK: back})}" if back else page)
