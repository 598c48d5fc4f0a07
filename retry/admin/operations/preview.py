"""The page before an operation: what it would do, how, and the start."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from retry.access.permissions import OPERATE, VIEW_ENTRY, VIEW_OPERATION
from retry.admin.operations.address import Proposal, parse_proposal
from retry.admin.operations.forms import StartForm
from retry.admin.operations.launch import launch
from retry.admin.operations.words import get_preview_title
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import get_back, get_list_url
from retry.admin.shared.messages import add_messages, describe_refusal
from retry.admin.shared.selection import SelectionRefused
from retry.errors import NotPermitted, OperationNotFound, RetryError
from retry.models import Operation
from retry.operations.selection import preview


@require_http_methods(["GET", "HEAD", "POST"])
def preview_page(request: HttpRequest) -> HttpResponse:
    """Show the preview, or start the operation by POST. The address has the selection for both."""
    if not request.user.has_perm(VIEW_ENTRY):
        raise PermissionDenied
    try:
        proposal = _parse_request(request)
        get_actor(request).require(OPERATE[proposal.action])
    except SelectionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(get_list_url(get_back(request.GET)))
    except NotPermitted as error:
        raise PermissionDenied from error
    if request.method != "POST":
        reason = request.GET.get("reason", "").replace("\0", "")[:500]
        return _render(request, proposal, StartForm(proposal, initial={"reason": reason}))
    form = StartForm(proposal, request.POST)
    if form.is_valid():
        try:
            return _launch(request, proposal, form)
        except RetryError as error:
            add_messages(request, describe_refusal(error))
    return _render(request, proposal, form)


def _parse_request(request: HttpRequest) -> Proposal:
    proposal = parse_proposal(request.GET)
    try:
        proposal.selection.check()
    except RetryError as error:
        raise SelectionRefused(describe_refusal(error).text) from error
    earlier = proposal.selection.failed_of
    if earlier is not None and not Operation.objects.filter(pk=earlier).exists():
        raise SelectionRefused(describe_refusal(OperationNotFound(earlier)).text)
    return proposal


def _find_under_way(proposal: Proposal) -> Operation | None:
    """Find the newest open operation for the same selection: a second one would find little."""
    same = Operation.objects.filter(action=proposal.action, selection=proposal.selection.data())
    return same.filter(ended_at=None).order_by("-created_at").first()


def _launch(request: HttpRequest, proposal: Proposal, form: StartForm) -> HttpResponse:
    return launch(
        request,
        proposal.selection,
        action=proposal.action,
        reason=form.cleaned_data["reason"],
        key=form.cleaned_data["key"],
        pace=form.get_pace(),
        only_if_changed=form.cleaned_data.get("only_if_changed", False),
        back=get_back(request.GET),
    )


def _render(request: HttpRequest, proposal: Proposal, form: StartForm) -> HttpResponse:
    found = preview(proposal.selection, action=proposal.action, actor=get_actor(request))
    form.propose(found)
    may_view = request.user.has_perm(VIEW_OPERATION)
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": get_preview_title(proposal.action),
        "words": describe_action(proposal.action),
        "proposal": proposal,
        "failed_of": proposal.selection.failed_of if may_view else None,
        "under_way": _find_under_way(proposal),
        "selection_words": proposal.selection.words(),
        "found": found,
        "skipped": [(reason.words, count) for reason, count in found.skipped.items()],
        "skipped_total": sum(found.skipped.values()),
        "form": form,
        "back": get_back(request.GET),
        "back_url": get_list_url(get_back(request.GET)),
    }
    return TemplateResponse(request, "admin/retry/operation/preview.html", context)
