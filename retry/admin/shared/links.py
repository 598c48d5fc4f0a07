"""Links from one object to another, where only its id is known."""

from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from entries.admin import display


def link_to_entry(entry_id: int | None) -> SafeString | str:
    return _link("entries_entry", entry_id, f"#{entry_id}")


def link_to_source(source_id: int | None) -> SafeString | str:
    return _link("entries_source", source_id, f"#{source_id}")


def link_to_run(run_id: UUID | None) -> SafeString | str:
    return _link("retry_run", run_id, run_id.hex[:8] if run_id else "")


def link_to_operation(operation_id: UUID | None) -> SafeString | str:
    return _link("retry_operation", operation_id, operation_id.hex[:8] if operation_id else "")


def _link(model: str, pk: int | UUID | None, text: str) -> SafeString | str:
    if pk is None:
        return display.NOTHING
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{model}_change", args=[pk]), text)
