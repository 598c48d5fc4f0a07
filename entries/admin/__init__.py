"""How entries, sources and endpoints are shown in the admin.

What can be done to entries and sources is ``retry.admin``'s.
"""

from entries.admin.endpoint import EndpointAdmin
from entries.admin.entry import EntryAdmin
from entries.admin.source import SourceAdmin

__all__ = ["EndpointAdmin", "EntryAdmin", "SourceAdmin"]
