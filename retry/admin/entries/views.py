"""Saved views on the list of entries: links with live counts, and the forms that keep them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from entries.admin.entry_list import OLDEST, SORT
from entries.admin.live import LiveFragment, respond
from entries.filters import EntryFilter
from retry import service
from retry.access.permissions import SHARE_VIEW
from retry.access.views import count_views, may_change, read_filter, visible_views
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import BACK, get_back, get_list_url, parse_list_filter
from retry.admin.shared.messages import Message, add_messages
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import SelectionRefused
from retry.errors import ViewNotFound
from retry.models import SavedView

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin

#: Views in the navigation of the list.
MOST = 40
_SECONDS = 15


@dataclass(frozen=True, slots=True)
class ViewLink:
    """``count``: as words, empty where it is not known."""

    view: SavedView
    url: str
    current: bool
    count: str = ""


class SavedViews(_ModelAdmin):
    """Adds saved views to the list of entries."""

    def get_urls(self) -> list[URLPattern]:
        def post(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
            guarded = self.admin_site.admin_view(require_POST(view))
            return path(f"views/{route}", guarded, name=f"entries_entry_view_{name}")

        links = self.admin_site.admin_view(require_safe(self.views_view))
        return [
            path("views/", links, name="entries_entry_views"),
            post("save/", self.save_view_view, "save"),
            post("<int:id>/rename/", self.rename_view_view, "rename"),
            post("<int:id>/delete/", self.delete_view_view, "delete"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = _parse(request.GET)
        links = _build_links(request, shown, {})
        current = next((link.view for link in links if link.current), None)
        actor = get_actor(request)
        context = {
            "view_links": links,
            "views_live": _build_live(request.GET.urlencode(), links),
            "may_save_view": shown is not None and not shown[0].all and current is None,
            "may_share_view": request.user.has_perm(SHARE_VIEW),
            "current_view": current if current and may_change(current, actor=actor) else None,
            "list_query": request.GET.urlencode(),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def views_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with the links and what their views count now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = get_back(request.GET)
        actor = get_actor(request)
        counts = count_views(visible_views(actor)[:MOST], actor=actor)
        links = _build_links(request, _parse(QueryDict(back)), counts)
        context = {"view_links": links, "counted": True}
        return respond(request, _build_live(back, links), "retry/entry/views.html", context)

    def save_view_view(self, request: HttpRequest) -> HttpResponse:
        shown = _parse(QueryDict(request.POST.get("query", "")))
        if shown is None:
            messages.error(request, gettext("Views do not support these filters."))
            return self._lead_to_list(request)
        chosen, oldest_first = shown

        def save() -> None:
            service.save_view(
                request.POST.get("name", ""),
                chosen,
                actor=get_actor(request),
                shared=bool(request.POST.get("shared")),
                oldest_first=oldest_first,
            )

        return self._change_views(request, save, gettext("The view was saved."))

    def rename_view_view(self, request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
        name = request.POST.get("name", "")
        return self._change_views(
            request,
            lambda: service.rename_view(id, name, actor=get_actor(request)),
            gettext("The view was renamed."),
        )

    def delete_view_view(self, request: HttpRequest, id: int) -> HttpResponse:  # noqa: A002
        return self._change_views(
            request,
            lambda: service.delete_view(id, actor=get_actor(request)),
            gettext("The view was deleted."),
        )

    def _change_views(
        self, request: HttpRequest, act: Callable[[], object], done: str
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with show_refusals(request, missing=ViewNotFound):
            act()
            add_messages(request, Message(messages.SUCCESS, done))
        return self._lead_to_list(request)

    def _lead_to_list(self, request: HttpRequest) -> HttpResponse:
        query = QueryDict(request.POST.get("query", "")[:1_500])
        return HttpResponseRedirect(get_list_url(query.urlencode()))


def _parse(query: QueryDict) -> tuple[EntryFilter, bool] | None:
    """Return what a list shows and whether the oldest come first; None where no view can."""
    try:
        return parse_list_filter(query), query.get(SORT) == OLDEST
    except SelectionRefused:
        return None


def _build_links(
    request: HttpRequest,
    shown: tuple[EntryFilter, bool] | None,
    counts: Mapping[int, tuple[int, bool]],
) -> Sequence[ViewLink]:
    links = []
    for view in visible_views(get_actor(request))[:MOST]:
        chosen = read_filter(view)
        if chosen is None:
            continue
        query = chosen.parameters() | ({SORT: OLDEST} if view.oldest_first else {})
        url = get_list_url(urlencode({name: query[name] for name in query if name != "all"}))
        current = shown == (chosen, view.oldest_first)
        links.append(ViewLink(view, url, current, _describe_count(counts.get(view.pk))))
    return links


def _describe_count(counted: tuple[int, bool] | None) -> str:
    if counted is None:
        return ""
    count, more = counted
    return f"{intcomma(count)}+" if more else intcomma(count)


def _build_live(back: str, links: Sequence[ViewLink]) -> LiveFragment:
    shown = " ".join(f"{link.view.pk} {link.view.name} {link.count}" for link in links)
    return LiveFragment(
        url=f"{reverse('admin:entries_entry_views')}?{urlencode({BACK: back})}",
        version=sha256(shown.encode()).hexdigest()[:16],
        active=bool(links),
        seconds=_SECONDS,
    )
