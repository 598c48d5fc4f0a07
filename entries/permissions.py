"""The permissions of entries and their sources, by name; pure."""

from typing import Final

VIEW_ENTRY: Final = "entries.view_entry"
VIEW_PAYLOAD: Final = "entries.view_payload"
CHANGE_ENTRY: Final = "entries.change_entry"
RETRY_ENTRY: Final = "entries.retry_entry"
RESYNC_ENTRY: Final = "entries.resync_entry"
DISCARD_ENTRY: Final = "entries.discard_entry"
SUBMIT_ENTRY: Final = "entries.submit_entry"
EXPORT_ENTRY: Final = "entries.export_entry"
VIEW_ENDPOINT: Final = "entries.view_endpoint"
VIEW_SOURCE: Final = "entries.view_source"
VIEW_ALL_SOURCES: Final = "entries.view_all_sources"
SYNC_SOURCE: Final = "entries.sync_source"
