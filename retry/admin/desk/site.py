"""The admin site of Redrive: its front page, alarms on every page, and the status page."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from retry import edits
from retry.access.permissions import VIEW_STATUS
from retry.admin.api_pages.page import show_api
from retry.admin.desk.alarms import read_lines
from retry.admin.desk.front import build_context, show_live
from retry.admin.desk.status import show_status
from retry.admin.shared.actor import get_actor, record_refusal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: The apps that come first.
_APPS = {"entries": 0, "retry": 1}


class DeskPages(AdminSite):
    """What the desk needs of the admin's site, whichever it is."""

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # Lazy: pages that show no alarms do not read them.
        lines = SimpleLazyObject(lambda: read_lines(request))
        return super().each_context(request) | {
            "alarms": SimpleLazyObject(lambda: lines.alarms),
            "held_lines": SimpleLazyObject(lambda: lines.holds),
        }

    def admin_view(
        self,
        view: Callable[..., HttpResponseBase],
        cacheable: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Write refused requests to the audit."""

        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                if request.method not in {"GET", "HEAD", "OPTIONS"}:
                    record_refusal(request, f"{request.method} {request.path}")
                raise

        return super().admin_view(run, cacheable)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [
            path("retry/desk/", self.admin_view(show_live), name="retry_desk"),
            path("retry/status/", self.admin_view(show_status), name="retry_status"),
            path("retry/api/", self.admin_view(show_api), name="retry_api"),
            *super().get_urls(),
        ]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Add the status page to the operations."""
        apps = super().get_app_list(request, app_label)
        if not request.user.has_perm(VIEW_STATUS) or app_label not in {None, "retry"}:
            return apps
        operations = next((app for app in apps if app["app_label"] == "retry"), None)
        if operations is None:
            operations = _build_operations()
            apps.insert(sum(app["app_label"] == "entries" for app in apps), operations)
        operations["models"].append(_build_link(_("Status"), "Status", "admin:retry_status"))
        return apps


class DeskSite(DeskPages):
    """A site that is the desk: its front page, and Redrive's apps before all others."""

    site_header = site_title = "Redrive"
    index_title = gettext_lazy("The desk")
    site_url = None
    #: The header has the navigation, so that lists have the full width.
    enable_nav_sidebar = False

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Write the audit in the same transaction."""
        with transaction.atomic():
            user = cast("User", request.user)
            before = edits.snapshot(user)
            answer = super().password_change(request, extra_context)
            edits.record_change(user, before=before, actor=get_actor(request))
            return answer

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # No object has a page outside the admin, and this view would read any table.
        return [found for found in super().get_urls() if _get_name(found) != "view_on_site"]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        return super().index(request, build_context(request) | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Sort our own apps first."""
        apps = super().get_app_list(request, app_label)
        return sorted(apps, key=lambda app: _APPS.get(app["app_label"], len(_APPS)))


class GuestPages(DeskPages):
    """The desk in a site of a project, whose front page and templates stay as they are."""

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {
            "head_template": "redrive/head.html",
            "alarms_template": "retry/lines.html",
        }

    def get_urls(self) -> list[URLPattern | URLResolver]:
        front = self.admin_view(self.show_front)
        return [path("retry/front/", front, name="retry_front"), *super().get_urls()]

    def show_front(self, request: HttpRequest) -> TemplateResponse:
        context = self.each_context(request) | {"title": _("The desk")} | build_context(request)
        return TemplateResponse(request, "admin/retry/front.html", context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Add the front page to the operations of users who have any."""
        apps = super().get_app_list(request, app_label)
        for app in apps:
            if app["app_label"] == "retry":
                app["models"].insert(0, _build_link(_("The desk"), "Desk", "admin:retry_front"))
        return apps


def join(site: AdminSite) -> None:
    """Give a project's own site the pages of the desk; its addresses must not be read before."""
    theirs = site.__class__  # not its type: Django's is a lazy object around it
    site.__class__ = type(theirs.__name__, (GuestPages, theirs), {"__module__": theirs.__module__})


def _get_name(found: URLPattern | URLResolver) -> str | None:
    return found.name if isinstance(found, URLPattern) else None


def _build_operations() -> dict[str, Any]:
    return {
        "name": _("operations"),
        "app_label": "retry",
        "app_url": reverse("admin:retry_status"),
        "has_module_perms": True,
        "models": [],
    }


def _build_link(name: str, key: str, page: str) -> dict[str, Any]:
    return {
        "name": name,
        "object_name": key,
        "admin_url": reverse(page),
        "add_url": None,
        "view_only": True,
        "perms": {"add": False, "change": False, "delete": False, "view": True},
    }
