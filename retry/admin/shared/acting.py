"""From a request of the admin to an actor of the service, and back to a page."""

import logging
from typing import TYPE_CHECKING, Any, cast

import structlog
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from retry import audit
from retry.admin.shared.selection import SelectionRefused, VerbForm, selection_of
from retry.outcomes import Actor, Channel

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


logger = logging.getLogger(__name__)


def actor_of(request: HttpRequest) -> Actor:
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return Actor.from_user(cast("User", request.user), channel=Channel.ADMIN, request_id=request_id)


def note_refusal(request: HttpRequest, what: str, *, permission: str = "") -> None:
    """Write down that somebody may not do what they asked for; never fails for that."""
    try:
        audit.record_refusal(what, actor=actor_of(request), permission=permission)
    except DatabaseError:
        logger.warning("audit.unnoted", extra={"refused": what})


class VerbsAdmin(_ModelAdmin):
    """A list whose actions get a parsed selection, and pages with verbs of their own."""

    action_form = VerbForm
    #: Its actions know what to do with all that is behind the list's filters.
    reaches_across = False

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Refuse a selection that makes no sense before Django asks the database with it."""
        try:
            selection_of(request.POST, across_too=self.reaches_across)
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        across = {"reaches_across": self.reaches_across}
        return super().changelist_view(request, across | (extra_context or {}))

    def back_to(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Redirect to the page of ``obj``, with the list it was reached from still in mind."""
        return HttpResponseRedirect(self.keep_filters(request, self.page_url(obj)))

    def page_url(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def keep_filters(self, request: HttpRequest, url: str) -> str:
        """``url`` with the filters of the list that the page was reached from."""
        filters = self.get_preserved_filters(request)
        return add_preserved_filters({"preserved_filters": filters, "opts": self.opts}, url)
