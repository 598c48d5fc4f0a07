"""Admin pages that write edits and refusals to the audit, and show it as their history."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import override

from retry import edits
from retry.admin.shared.actor import get_actor, record_refusal
from retry.admin.shared.history import list_history

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class AuditedAdmin(_ModelAdmin):
    """Writes the audit of every add, change and delete in the admin's own transaction.

    It must be the first base class.
    """

    object_history_template = "admin/retry/object_history.html"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        form.before = edits.snapshot(obj) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Record here: this is Django's last step, after many-to-many relations are saved."""
        super().save_related(request, form, formsets, change)
        if form.before is None:
            edits.record_addition(form.instance, actor=get_actor(request))
        else:
            edits.record_change(form.instance, before=form.before, actor=get_actor(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            edits.record_deletion(obj, actor=get_actor(request))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                edits.record_deletion(obj, actor=get_actor(request))
            super().delete_queryset(request, queryset)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Treat a value that no column can have as a wrong address, not as a server error."""
        try:
            with transaction.atomic():
                return super().get_changelist_instance(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Record actions without permission: Django ignores them silently."""
        sent = set(request.POST.getlist("action"))
        known = {str(getattr(action, "__name__", action)) for action in self.actions or ()}
        for name in sorted(sent & {*known, "delete_selected"}):
            if name not in self.get_actions(request):
                record_refusal(request, f"{name} in {self._get_english_name()}")
        return super().changelist_view(request, extra_context)

    def _get_english_name(self) -> str:
        """Name what the list has, for the audit, which is kept in English."""
        with override(None):
            return str(self.opts.verbose_name_plural)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django looks for the object first, which would reveal whether it exists.
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        found = list_history(obj, request) if obj is not None else []
        return super().history_view(request, object_id, {"history": found} | (extra_context or {}))
