"""The page before an operation: what it would do, how, and the start."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from entries.phrases import show
from retry.access.permissions import OPERATE, VIEW_ENTRY, VIEW_OPERATION
from retry.access.records import visible_operations
from retry.admin.operations.address import Proposal, choose_groups, parse_proposal
from retry.admin.operations.forms import StartForm
from retry.admin.operations.launch import launch
from retry.admin.operations.words import (
    describe_forecast,
    describe_selection,
    get_preview_title,
)
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import get_back, get_list_url
from retry.admin.shared.messages import add_messages, describe_refusal
from retry.admin.shared.selection import SelectionRefused
from retry.errors import NotPermitted, RetryError
from retry.models import Operation
from retry.operations.approval import needs_approval
from retry.operations.breakdown import break_down
from retry.operations.forecast import forecast
from retry.operations.selection import preview
from retry.operations.sight import find_operation
from retry.outcomes import Actor

#: Fields of the form that the numbers depend on; all else in the address is the selection.
_TYPED = ("group", "take", "rate_per_second")


@require_http_methods(["GET", "HEAD", "POST"])
def preview_page(request: HttpRequest) -> HttpResponse:
    """Show the preview, or start the operation by POST. The address has the selection for both, and
    the form which error groups it leaves out.
    """
    if not request.user.has_perm(VIEW_ENTRY):
        raise PermissionDenied
    try:
        proposal = _parse_request(request.GET, actor=get_actor(request))
        if request.method == "POST":
            proposal = choose_groups(proposal, request.POST)
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


@require_safe
def numbers_page(request: HttpRequest) -> HttpResponse:
    """Show the numbers again, for the groups that are ticked now and the pace that is typed."""
    if not request.user.has_perm(VIEW_ENTRY):
        raise PermissionDenied
    selected = request.GET.copy()
    for name in _TYPED:
        selected.pop(name, None)
    try:
        proposal = choose_groups(_parse_request(selected, actor=get_actor(request)), request.GET)
        get_actor(request).require(OPERATE[proposal.action])
    except SelectionRefused as refusal:
        raise Http404 from refusal
    except NotPermitted as error:
        raise PermissionDenied from error
    rate = _parse_rate(request.GET.get("rate_per_second", ""))
    context = _build_numbers(request, proposal, rate=rate) | {"moved": True}
    return TemplateResponse(request, "retry/operation/preview/numbers.html", context)


def _parse_request(query: QueryDict, *, actor: Actor) -> Proposal:
    """Raises ``SelectionRefused`` and ``NotPermitted``."""
    proposal = parse_proposal(query)
    try:
        proposal.selection.check(actor=actor)
        if (earlier := proposal.selection.failed_of) is not None:
            find_operation(earlier, actor=actor)
    except NotPermitted:
        raise
    except RetryError as error:
        raise SelectionRefused(describe_refusal(error).text) from error
    return proposal


def _find_under_way(proposal: Proposal, *, actor: Actor) -> Operation | None:
    """Find the newest open operation for the same selection: a second one would find little."""
    same = visible_operations(actor).filter(
        action=proposal.action, selection=proposal.selection.data()
    )
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


def _parse_rate(text: str) -> float | None:
    """Return what the pace field accepts; None for everything else."""
    try:
        return cast("float | None", StartForm.base_fields["rate_per_second"].clean(text))
    except ValidationError:
        return None


def _build_numbers(
    request: HttpRequest, proposal: Proposal, *, rate: float | None
) -> dict[str, Any]:
    """Return what follows from the selection and the pace."""
    actor = get_actor(request)
    found = preview(proposal.selection, action=proposal.action, actor=actor)
    groups = break_down(proposal.selection, action=proposal.action, actor=actor)
    kinds = groups.kinds if proposal.action.by_workers else {}
    words = describe_action(proposal.action)
    return {
        "words": words,
        "start_label": words.count_title(found.eligible or 0) if found.exact else words.every,
        "found": found,
        "skipped": [(show(reason.words), count) for reason, count in found.skipped.items()],
        "skipped_total": sum(found.skipped.values()),
        "breakdown": groups,
        "forecast": describe_forecast(
            forecast(kinds, rate_per_second=rate), whole=groups.exact or found.exact
        ),
        "approval": needs_approval(max(found.total, groups.taken)),
    }


def _render(request: HttpRequest, proposal: Proposal, form: StartForm) -> HttpResponse:
    paced = "rate_per_second" in form.fields
    rate = _parse_rate(form["rate_per_second"].value() or "") if paced else None
    numbers = _build_numbers(request, proposal, rate=rate)
    form.propose(numbers["found"])
    may_view = request.user.has_perm(VIEW_OPERATION)
    chosen = proposal.selection.filter
    context: dict[str, Any] = (
        admin.site.each_context(request)
        | numbers
        | {
            "title": get_preview_title(proposal.action),
            "proposal": proposal,
            "failed_of": proposal.selection.failed_of if may_view else None,
            "under_way": _find_under_way(proposal, actor=get_actor(request)),
            "selection_words": describe_selection(proposal.selection.words()),
            "left_out": chosen.exclude_fingerprints or () if chosen else (),
            "numbers_query": request.GET.urlencode(),
            "form": form,
            "back": get_back(request.GET),
            "back_url": get_list_url(get_back(request.GET)),
        }
    )
    return TemplateResponse(request, "admin/retry/operation/preview.html", context)
