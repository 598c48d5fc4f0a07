"""The page before an operation: what it would do, how it should go about it, and the start."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from retry.access.permissions import OPERATE, VIEW_ENTRY, VIEW_OPERATION
from retry.admin.entries.criteria import Asked, back_of, list_url, of_address
from retry.admin.entries.launch import launch
from retry.admin.operations.forms import StartForm
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.selection import SelectionRefused
from retry.errors import NotPermitted, OperationNotFound, RetryError
from retry.models import Operation
from retry.operations.selection import preview


@require_http_methods(["GET", "HEAD", "POST"])
def preview_page(request: HttpRequest) -> HttpResponse:
    """GET shows, POST to the same address starts. The selection is in the address for both."""
    if not request.user.has_perm(VIEW_ENTRY):
        raise PermissionDenied
    try:
        asked = _asked(request)
        actor_of(request).require(OPERATE[asked.action])
    except SelectionRefused as refusal:
        messages.error(request, str(refusal))
        return redirect(list_url(back_of(request.GET)))
    except NotPermitted as error:
        raise PermissionDenied from error
    if request.method != "POST":
        reason = request.GET.get("reason", "").replace("\0", "")[:500]
        return _shown(request, asked, StartForm(asked, initial={"reason": reason}))
    form = StartForm(asked, request.POST)
    if form.is_valid():
        try:
            return _launched(request, asked, form)
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
    return _shown(request, asked, form)


def _asked(request: HttpRequest) -> Asked:
    asked = of_address(request.GET)
    try:
        asked.selection.check()
    except RetryError as error:
        raise SelectionRefused(words.of_refusal(error).text) from error
    earlier = asked.selection.failed_of
    if earlier is not None and not Operation.objects.filter(pk=earlier).exists():
        raise SelectionRefused(words.of_refusal(OperationNotFound(earlier)).text)
    return asked


def _under_way(asked: Asked) -> Operation | None:
    """The newest open operation over the very same: a second one would mostly find it at work."""
    same = Operation.objects.filter(action=asked.action, selection=asked.selection.data())
    return same.filter(ended_at=None).order_by("-created_at").first()


def _launched(request: HttpRequest, asked: Asked, form: StartForm) -> HttpResponse:
    return launch(
        request,
        asked.selection,
        action=asked.action,
        reason=form.cleaned_data["reason"],
        key=form.cleaned_data["key"],
        pace=form.pace(),
        only_if_changed=form.cleaned_data.get("only_if_changed", False),
        back=back_of(request.GET),
    )


def _shown(request: HttpRequest, asked: Asked, form: StartForm) -> HttpResponse:
    found = preview(asked.selection, action=asked.action, actor=actor_of(request))
    form.propose(found)
    context: dict[str, Any] = admin.site.each_context(request) | {
        "title": words.preview_title(asked.action),
        "words": words.of_action(asked.action),
        "asked": asked,
        "failed_of": asked.selection.failed_of if request.user.has_perm(VIEW_OPERATION) else None,
        "under_way": _under_way(asked),
        "selection_words": asked.selection.words(),
        "found": found,
        "passed_over": [(reason.words, count) for reason, count in found.skipped.items()],
        "passed_over_total": sum(found.skipped.values()),
        "form": form,
        "back": back_of(request.GET),
        "back_url": list_url(back_of(request.GET)),
    }
    return TemplateResponse(request, "admin/retry/operation/preview.html", context)
