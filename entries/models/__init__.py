"""Sources, entries, the attempts at them, and endpoints: what there is, not what is done to it."""

from entries.models import names  # noqa: F401 - names them
from entries.models.attempt import Attempt
from entries.models.edit import Edit
from entries.models.endpoint import Endpoint
from entries.models.entry import CONTENT_FIELDS, FENCED_FIELDS, Entry, EntryQuerySet
from entries.models.indexed import IndexBacklog, IndexedEntry
from entries.models.scope import EVERYTHING, NOTHING, Scope, find_sources
from entries.models.sent_task import SentTask
from entries.models.source import NOTICE_SOURCE_KIND, Source
from entries.models.status_total import StatusChange, StatusTotal

__all__ = [
    "CONTENT_FIELDS",
    "EVERYTHING",
    "FENCED_FIELDS",
    "NOTHING",
    "NOTICE_SOURCE_KIND",
    "Attempt",
    "Edit",
    "Endpoint",
    "Entry",
    "EntryQuerySet",
    "IndexBacklog",
    "IndexedEntry",
    "Scope",
    "SentTask",
    "Source",
    "StatusChange",
    "StatusTotal",
    "find_sources",
]
