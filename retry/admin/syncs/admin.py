"""Syncs: the history, and the page of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries.admin import display
from entries.admin.filters import SourceFilter
from entries.models import Source
from entries.phrases import show
from retry.access.payloads import hide_changes
from retry.access.permissions import SYNC_SOURCE, VIEW_SOURCE
from retry.access.records import visible_syncs
from retry.access.visibility import sees_source
from retry.admin.intakes.admin import IntakeAdmin, IntakeStateFilter
from retry.admin.shared.actor import get_actor
from retry.admin.syncs import words
from retry.models import Sync, SyncState


class SyncAdmin(IntakeAdmin[Sync]):
    list_filter = (IntakeStateFilter, SourceFilter)
    search_fields = ("actor_label", "reason", "error")
    search_help_text = _("Searches who requested the sync, the reason and the error.")
    ordering = ("-id",)
    blank_template = "retry/sync/none.html"
    facts_template = "retry/sync/facts.html"
    path_converter = "int"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sync]:
        visible = visible_syncs(get_actor(request)).order_by(*self.ordering)
        return visible.select_related("source")

    @admin.display(description=_("sync"))
    def what(self, sync: Sync) -> SafeString:
        title = display.format_name(words.get_title(sync))
        return format_html('<span class="number">#{}</span> {}', sync.pk, title)

    def get_title(self, record: Sync) -> str:
        return words.get_title(record)

    def get_counts(self, row: Sync) -> Mapping[str, int]:
        return words.get_counts(row)

    def get_labels(self, row: Sync) -> Mapping[str, Promise]:
        return words.get_labels(row)

    def describe_found(self, row: Sync) -> str:
        return words.describe_found(row)

    def describe_state(self, row: Sync) -> Sequence[str]:
        return [words.describe_state(row)]

    def get_facts(self, row: Sync) -> Sequence[tuple[str, int]]:
        facts = [] if row.total is None else [(gettext("In the source"), row.total)]
        return facts if row.dry_run else [*facts, (gettext("Queued"), row.queued)]

    def get_live_context(self, request: HttpRequest, record: Sync) -> dict[str, Any]:
        # Notes and samples may concern any entry of the source.
        visible = sees_source(record.source_id, actor=get_actor(request))
        record.sample = hide_changes(record.sample, actor=get_actor(request))
        compared = record.dry_run and record.state == SyncState.SUCCEEDED
        return super().get_live_context(request, record) | {
            "notes": [show(note) for note in record.notes] if visible else [],
            "notes_hidden": not visible and bool(record.notes or record.sample),
            "sample_template": "retry/sync/sample.html"
            if visible and compared and not record.not_modified
            else None,
        }

    def get_stage_context(self, request: HttpRequest, live: dict[str, Any]) -> dict[str, Any]:
        sync: Sync = live["original"]
        may_sync = request.user.has_perms((SYNC_SOURCE, VIEW_SOURCE))
        return {
            "verbs_template": "retry/sync/verbs.html",
            "may_sync": may_sync and sync.finished and sync.source.enabled,
        }


def list_recent(source: Source, *, limit: int = 5) -> list[tuple[Sync, str]]:
    """List the newest syncs of a source, each with what it found, or why it failed."""
    newest = source.syncs.order_by("-pk")[:limit]
    return [(sync, show(sync.error) or words.describe_found(sync)) for sync in newest]
