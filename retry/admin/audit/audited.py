"""Admin pages whose edits and refusals are in the audit, and whose history is the audit."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import DataError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from retry import edits
from retry.admin.audit.history import history_of
from retry.admin.shared.acting import actor_of, note_refusal

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class AuditedAdmin(_ModelAdmin):
    """Put it before all other bases: every add, change and delete writes its audit, in the
    transaction that the admin opens for it.
    """

    object_history_template = "admin/retry/history.html"

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001
        form.before = edits.snapshot(obj) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """Django's last step of saving: now the many-to-many relations are there as well."""
        super().save_related(request, form, formsets, change)
        if form.before is None:
            edits.record_addition(form.instance, actor=actor_of(request))
        else:
            edits.record_change(form.instance, before=form.before, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with transaction.atomic():
            edits.record_deletion(obj, actor=actor_of(request))
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                edits.record_deletion(obj, actor=actor_of(request))
            super().delete_queryset(request, queryset)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """A value that no column can have is a wrong address, and no error of ours."""
        try:
            with transaction.atomic():
                return super().get_changelist_instance(request)
        except (DataError, OverflowError, ValueError) as error:
            raise IncorrectLookupParameters from error

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django leaves out the actions that somebody may not take, and says nothing of it."""
        asked = set(request.POST.getlist("action"))
        known = {str(getattr(action, "__name__", action)) for action in self.actions or ()}
        for name in sorted(asked & {*known, "delete_selected"}):
            if name not in self.get_actions(request):
                note_refusal(request, f"{name} in {self.opts.verbose_name_plural}")
        return super().changelist_view(request, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django looks for the object first, and so would tell which there are.
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        obj = self.get_object(request, unquote(object_id))
        found = history_of(obj, request) if obj is not None else []
        return super().history_view(request, object_id, {"history": found} | (extra_context or {}))
