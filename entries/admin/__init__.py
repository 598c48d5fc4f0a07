"""How entries, sources and endpoints are shown in the admin.

What can be done to them is in ``retry.admin``, which also registers the pages.
"""

from entries.admin.endpoint import EndpointAdmin
from entries.admin.entry import EntryAdmin
from entries.admin.source import SourceAdmin

__all__ = ["EndpointAdmin", "EntryAdmin", "SourceAdmin"]
