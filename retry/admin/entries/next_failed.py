"""From one entry to the next that failed, in the list that the first was reached from."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from entries.budget import OutOfTime, time_budget
from entries.filters import EntryFilter
from entries.lists import BY_FAILURE
from entries.models import Entry
from entries.states import AttemptStatus, EntryStatus
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import parse_list_filter
from retry.admin.shared.selection import SelectionRefused
from retry.admin.shared.verbs import VerbsAdmin
from retry.errors import NotPermitted
from retry.operations.selection import Selection
from retry.outcomes import Actor

if TYPE_CHECKING:
    from entries.models import EntryQuerySet

#: For a search that no index answers; everything else takes a millisecond.
_SECONDS = 1.0


class NextFailure(VerbsAdmin):
    """Adds the address ``next/`` of an entry, which redirects to the one that follows."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.next_view))
        return [
            path("<path:object_id>/next/", view, name="entries_entry_next"),
            *super().get_urls(),
        ]

    def next_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        shown = parse_shown(request.GET.get("_changelist_filters", ""))
        try:
            found = find_next(entry, shown=shown, actor=get_actor(request))
        except NotPermitted as error:
            raise PermissionDenied from error
        except OutOfTime:
            text = gettext("Finding the next failed entry took too long. Look at the list instead.")
            messages.warning(request, text)
            return self.redirect_to(request, entry)
        if found is None:
            messages.info(request, gettext("No other failed entry follows in this list."))
            return self.redirect_to(request, entry)
        page = reverse("admin:entries_entry_change", args=[found])
        return HttpResponseRedirect(self.keep_filters(request, page))

    def get_live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        context: dict[str, Any] = super().get_live_context(request, entry)  # type: ignore[misc]
        url = reverse("admin:entries_entry_next", args=[entry.pk])
        return context | {"next_url": self.keep_filters(request, url)}


def parse_shown(query: str) -> EntryFilter:
    """Return the filter of the list with that query string; every entry where it has none."""
    try:
        return parse_list_filter(QueryDict(query))
    except SelectionRefused:
        return EntryFilter(all=True)


def find_next(entry: Entry, *, shown: EntryFilter, actor: Actor) -> int | None:
    """Return the failed entry that follows ``entry`` in the list, latest failure first.

    An entry that is not failed any more stands where it last failed; one that never did, before
    all others. Raises ``OutOfTime``.
    """
    chosen = replace(shown, status=EntryStatus.FAILED, all=False)
    found = Selection(filter=chosen).find(actor=actor).exclude(pk=entry.pk)
    since = _find_last_failure(entry)
    if since is not None:
        found = _follow(found, since, entry.pk)
    with time_budget(_SECONDS):
        ids = found.order_by(*BY_FAILURE.sorting).values_list("pk", flat=True)
        return ids.first()


def _find_last_failure(entry: Entry) -> datetime | None:
    if entry.failed_at is not None:
        return entry.failed_at
    failed = entry.attempts.filter(status=AttemptStatus.FAILED)
    last: datetime | None = failed.aggregate(last=Max("ended_at"))["last"]
    return last


def _follow(found: "EntryQuerySet", since: datetime, id_: int) -> "EntryQuerySet":
    # The first condition is what the index begins at.
    return found.filter(Q(failed_at__lte=since) & (Q(failed_at__lt=since) | Q(pk__lt=id_)))
