"""The admin site, made the desk: its name, its front page and a page for the engine's status.

Django asks for the site while the admin modules are still being imported, so what those modules
know is imported when it is needed.
"""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_OURS = {"entries": 0, "retry": 1}


class DeskAdminConfig(AdminConfig):
    default_site = "config.desk.DeskSite"


class DeskSite(AdminSite):
    site_header = site_title = "Redrive"
    index_title = "The desk"
    site_url = None
    #: The few pages of the desk are in the header, so that lists have the width.
    enable_nav_sidebar = False
    index_template = "admin/desk.html"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from retry.admin.desk.alarms import alarms_for

        # Lazy: pages that show no alarms do not ask for them.
        return super().each_context(request) | {
            "alarms": SimpleLazyObject(lambda: alarms_for(request))
        }

    def admin_view(
        self,
        view: Callable[..., HttpResponseBase],
        cacheable: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Django's; whoever may not do what they sent is refused, and that is in the audit."""

        @wraps(view)
        def noting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return view(request, *args, **kwargs)
            except PermissionDenied:
                if request.method not in {"GET", "HEAD", "OPTIONS"}:
                    from retry.admin.shared.acting import note_refusal

                    note_refusal(request, f"{request.method} {request.path}")
                raise

        return super().admin_view(noting, cacheable)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Django's, with its audit in the same transaction."""
        from retry import edits
        from retry.admin.shared.acting import actor_of

        with transaction.atomic():
            user = cast("User", request.user)
            before = edits.snapshot(user)
            answer = super().password_change(request, extra_context)
            edits.record_change(user, before=before, actor=actor_of(request))
            return answer

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from retry.admin.desk.status import status_page

        return [
            path("retry/status/", self.admin_view(status_page), name="retry_status"),
            # Nothing has a page outside the admin, and that one would read any table there is.
            *(found for found in super().get_urls() if _name(found) != "view_on_site"),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        from retry.admin.desk.status import tiles_for

        return super().index(request, {"tiles": tiles_for(request)} | (extra_context or {}))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Django's, the desk's own first, with the status page among the operations."""
        from retry.access.permissions import VIEW_STATUS

        apps = super().get_app_list(request, app_label)
        apps.sort(key=lambda app: _OURS.get(app["app_label"], len(_OURS)))
        if not request.user.has_perm(VIEW_STATUS) or app_label not in {None, "retry"}:
            return apps
        operations = next((app for app in apps if app["app_label"] == "retry"), None)
        if operations is None:
            operations = _operations()
            apps.insert(sum(app["app_label"] == "entries" for app in apps), operations)
        operations["models"].append(_status_link())
        return apps


def _name(found: URLPattern | URLResolver) -> str | None:
    return found.name if isinstance(found, URLPattern) else None


def _operations() -> dict[str, Any]:
    return {
        "name": "operations",
        "app_label": "retry",
        "app_url": reverse("admin:retry_status"),
        "has_module_perms": True,
        "models": [],
    }


def _status_link() -> dict[str, Any]:
    return {
        "name": "Status",
        "object_name": "Status",
        "admin_url": reverse("admin:retry_status"),
        "add_url": None,
        "view_only": True,
        "perms": {"add": False, "change": False, "delete": False, "view": True},
    }
