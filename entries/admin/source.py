"""Sources: where they are, when they were last read and what came of it."""

from copy import deepcopy
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries import upload_pass
from entries.admin import display
from entries.admin.filters import EqualFilter
from entries.admin.forms import SourceForm
from entries.admin.lists import BoundedAdmin
from entries.masking import mask_address, mask_values
from entries.models import Source, find_sources
from entries.phrases import show
from entries.sources import registry
from entries.sources.files import uploads


class SourceKindFilter(EqualFilter):
    title = _("kind")
    parameter_name = column = "kind"

    def list_choices(self) -> list[tuple[str, str]]:
        return [(name, name) for name in registry.names()]


class SourceAdmin(BoundedAdmin[Source]):
    form = SourceForm
    list_display = ("name", "slug", "kind", "entry_kind", "enabled", "last_synced", "problem")
    list_filter = (SourceKindFilter,)
    search_fields = ("slug", "name")
    search_help_text = _("Searches slug, name and location.")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    filter_horizontal = ("groups",)
    readonly_fields = (
        "last_synced",
        "last_error",
        "next_sync",
        "location_text",
        "options_text",
    )
    fieldsets = (
        (None, {"fields": ("name", "slug", "enabled")}),
        (_("Where to read"), {"fields": ("kind", "location", "upload", "options")}),
        (_("Entries"), {"fields": ("entry_kind",)}),
        (_("Who sees it"), {"fields": ("groups",)}),
        (_("Schedule"), {"fields": ("sync_interval", "next_sync")}),
        (_("Last sync"), {"fields": ("last_synced", "last_error")}),
    )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Send the form to an address from which the web server accepts a file."""
        form_url = form_url or upload_pass.add_pass(request.path, user_id=request.user.pk or 0)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        """Entries refer to it, and listing them all in a refusal would take long."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        """Show those who may only view no upload field, and location and options masked: Django
        would show them as they are stored.
        """
        fieldsets = super().get_fieldsets(request, obj)
        if not find_sources(request.user).everything:
            # Who does not see everything would hide it from others, or from themselves.
            fieldsets = [part for part in fieldsets if part[1]["fields"] != ("groups",)]
        if obj is not None and not self.has_change_permission(request, obj):
            masked = {"location": "location_text", "options": "options_text"}
            for _, options in (fieldsets := deepcopy(fieldsets)):
                names = [name for name in options["fields"] if name != "upload"]
                options["fields"] = [masked.get(str(name), name) for name in names]
        return fieldsets

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Source], search_term: str
    ) -> tuple[QuerySet[Source], bool]:
        """Search locations as they are shown, so that no search can guess a password."""
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
        """Fill in the slug of a new source only: scripts and links refer to it."""
        return dict(self.prepopulated_fields) if obj is None else {}

    @admin.display(description=_("location"))
    def location_text(self, source: Source) -> str:
        return mask_address(source.location)

    @admin.display(description=_("options"))
    def options_text(self, source: Source) -> SafeString | str:
        return display.format_json_block(mask_values(source.options))

    @admin.display(description=_("last sync"))
    def last_synced(self, source: Source) -> SafeString | str:
        if source.last_synced_at is None:
            return gettext("never")
        return display.format_moment(source.last_synced_at)

    @admin.display(description=_("next sync"))
    def next_sync(self, source: Source) -> SafeString | str:
        if source.sync_interval is None:
            return gettext("only on request")
        if not source.enabled:
            return gettext("none while the source is disabled")
        if source.next_sync_at is None or source.next_sync_at <= timezone.now():
            return gettext("due now")
        return display.format_moment(source.next_sync_at)

    @admin.display(description=_("last error"))
    def problem(self, source: Source) -> SafeString | str:
        head = gettext("Sync failed:") if source.last_error else ""
        return display.format_error(head, show(source.last_error))
