"""Sources: where they are, when they were last read and how that went."""

from copy import deepcopy
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from entries import upload_pass
from entries.admin import show
from entries.admin.filters import EqualFilter
from entries.admin.forms import SourceForm
from entries.admin.listing import BoundedAdmin
from entries.masking import mask_address, mask_values
from entries.models import Source
from entries.sources import registry
from entries.sources.files import uploads


class SourceKindFilter(EqualFilter):
    title = "kind"
    parameter_name = column = "kind"

    def offered(self) -> list[tuple[str, str]]:
        return [(name, name) for name in registry.names()]


@admin.register(Source)
class SourceAdmin(BoundedAdmin[Source]):
    form = SourceForm
    list_display = ("name", "slug", "kind", "entry_kind", "enabled", "last_synced", "problem")
    list_filter = (SourceKindFilter,)
    search_fields = ("slug", "name")
    search_help_text = "Searches slug, name and location."
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    readonly_fields = (
        "last_synced",
        "last_error",
        "next_sync",
        "location_shown",
        "options_shown",
    )
    change_form_template = "admin/entries/source/change_form.html"
    fieldsets = (
        (None, {"fields": ("name", "slug", "enabled")}),
        ("Where from", {"fields": ("kind", "location", "upload", "options")}),
        ("What becomes of it", {"fields": ("entry_kind",)}),
        ("When", {"fields": ("sync_interval", "next_sync")}),
        ("Last sync", {"fields": ("last_synced", "last_error")}),
    )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """The form is sent to an address that the web server takes a file from."""
        form_url = form_url or upload_pass.add_pass(request.path, user_id=request.user.pk or 0)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        """Its entries keep a source; to list them all for a refusal would take a while."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        """For those who may only look: without the field for a file, and nothing as it is stored,
        for Django would show them all of it.
        """
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            shown = {"location": "location_shown", "options": "options_shown"}
            for _, options in (fieldsets := deepcopy(fieldsets)):
                names = [name for name in options["fields"] if name != "upload"]
                options["fields"] = [shown.get(str(name), name) for name in names]
        return fieldsets

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Source], search_term: str
    ) -> tuple[QuerySet[Source], bool]:
        """Locations as they are shown: a search would find out a password letter by letter."""
        found, several = super().get_search_results(request, queryset, search_term)
        text = search_term.strip().lower()
        if not text:
            return found, several
        places = queryset.values_list("pk", "location")
        here = [pk for pk, place in places if text in mask_address(place).lower()]
        return found | queryset.filter(pk__in=here), several

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:  # noqa: FBT001
        super().save_model(request, obj, form, change)
        if form.location_before != obj.location:
            uploads.remove_when_unused(form.location_before)

    def get_prepopulated_fields(
        self, request: HttpRequest, obj: Source | None = None
    ) -> dict[str, Any]:
        """Only while it is new: scripts and links know a source by its slug."""
        return dict(self.prepopulated_fields) if obj is None else {}

    @admin.display(description="location")
    def location_shown(self, source: Source) -> str:
        return mask_address(source.location)

    @admin.display(description="options")
    def options_shown(self, source: Source) -> SafeString | str:
        return show.json_block(mask_values(source.options))

    @admin.display(description="last sync")
    def last_synced(self, source: Source) -> SafeString | str:
        return show.moment(source.last_synced_at) if source.last_synced_at else "never"

    @admin.display(description="next sync")
    def next_sync(self, source: Source) -> SafeString | str:
        if source.sync_interval is None:
            return "when somebody asks"
        if not source.enabled:
            return "none while it is disabled"
        if source.next_sync_at is None or source.next_sync_at <= timezone.now():
            return "due, as soon as the dispatcher looks"
        return show.moment(source.next_sync_at)

    @admin.display(description="last error")
    def problem(self, source: Source) -> SafeString | str:
        return show.error_line("Sync failed:" if source.last_error else "", source.last_error)
