"""The page of a repair: its form, its preview, and the start."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from entries.phrases import show
from retry import service
from retry.access.permissions import (
    CHANGE_ENTRY,
    RETRY_ENTRY,
    VIEW_ENTRY,
    VIEW_OPERATION,
    VIEW_PAYLOAD,
)
from retry.admin.operations.address import Proposal, get_return_query, parse_proposal
from retry.admin.operations.launch import launch
from retry.admin.operations.repair_form import RepairForm
from retry.admin.operations.words import describe_selection
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import BACK, get_back, get_list_url
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import SelectionRefused, parse_reason
from retry.errors import OperationNotFound
from retry.models import Action
from retry.operations.repairs import RepairPreview, describe_skipped, preview_repair
from retry.operations.selection import Selection

#: Ids in an address.
_MOST_IDS = 500


def may_repair(user: Any) -> bool:
    return all(
        user.has_perm(name) for name in (VIEW_ENTRY, VIEW_PAYLOAD, CHANGE_ENTRY, RETRY_ENTRY)
    )


def get_repair_url(selection: Selection, *, reason: str = "", back: str = "") -> str:
    """Return the address of the page for ids or a filter."""
    query: dict[str, Any] = {}
    if selection.filter is not None:
        query |= selection.filter.parameters()
        if query.get("all"):
            query["all"] = "true"
    else:
        query["ids"] = ",".join(map(str, selection.ids))
    query |= {name: value for name, value in (("reason", reason), (BACK, back)) if value}
    return f"{reverse('admin:retry_operation_repair')}?{urlencode(query)}"


def _parse_selection(query: QueryDict) -> Selection:
    """Raise ``SelectionRefused``."""
    given = query.get("ids")
    if given is None:
        return parse_proposal(query).selection
    ids = given.split(",")
    sane = all(id_.isascii() and id_.isdigit() and len(id_) <= 18 for id_ in ids)
    if not sane or len(ids) > _MOST_IDS:
        raise SelectionRefused(gettext("This address does not describe a repair."))
    return Selection(ids=tuple(int(id_) for id_ in ids))


@require_http_methods(["GET", "HEAD", "POST"])
def repair_page(request: HttpRequest) -> HttpResponse:
    """Show the form; by POST the preview as well, or start. The address has the selection."""
    if not may_repair(request.user):
        raise PermissionDenied
    answer: HttpResponse = redirect(get_list_url(get_back(request.GET)))
    with show_refusals(request):
        proposal = Proposal(Action.REPAIR, _parse_selection(request.GET))
        proposal.selection.check(actor=get_actor(request))
        answer = _answer(request, proposal)
    return answer  # noqa: RET504 - not where the block has shown a refusal


def _answer(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    if request.method != "POST":
        reason = request.GET.get("reason", "").replace("\0", "")[:500]
        return _render(request, proposal, RepairForm(proposal, initial={"reason": reason}))
    form = RepairForm(proposal, request.POST)
    if form.is_valid() and "start" in request.POST:
        with show_refusals(request):
            return _launch(request, proposal, form)
    return _render(request, proposal, form)


def _launch(request: HttpRequest, proposal: Proposal, form: RepairForm) -> HttpResponse:
    return launch(
        request,
        proposal.selection,
        action=Action.REPAIR,
        reason=form.cleaned_data["reason"],
        key=form.cleaned_data["key"],
        pace=form.get_pace(),
        repair=form.repair,
        back=get_back(request.GET),
    )


def _render(request: HttpRequest, proposal: Proposal, form: RepairForm) -> HttpResponse:
    found = None
    if form.is_bound and form.is_valid() and form.repair is not None:
        found = preview_repair(proposal.selection, form.repair, actor=get_actor(request))
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": gettext("Repair and retry in bulk"),
        "selection_words": describe_selection(proposal.selection.words()),
        "form": form,
        "found": found,
        "skipped": _list_skipped(found) if found else (),
        "skipped_total": found.skipped.total() if found else 0,
        "back": get_back(request.GET),
        "back_url": get_list_url(get_back(request.GET)),
    }
    return TemplateResponse(request, "admin/retry/operation/repair.html", context)


def _list_skipped(found: RepairPreview) -> list[tuple[str, int]]:
    return [(show(words), count) for words, count in describe_skipped(found).items()]


@require_POST
def undo_view(request: HttpRequest, object_id: UUID) -> HttpResponse:
    """Start undoing a repair and redirect to the page of that operation."""
    if not request.user.has_perm(VIEW_OPERATION):
        raise PermissionDenied
    page = reverse("admin:retry_operation_change", args=[object_id])
    with show_refusals(request, missing=OperationNotFound):
        operation = service.undo_repair(
            object_id, actor=get_actor(request), reason=parse_reason(request.POST)
        )
        page = reverse("admin:retry_operation_change", args=[operation.pk])
        query = get_return_query(request)
        page = f"{page}?{query}" if query else page
    return redirect(page)
