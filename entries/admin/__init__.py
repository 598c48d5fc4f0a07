"""How entries and sources are shown in the admin. What can be done to them is ``retry.admin``'s."""

from entries.admin.entry import EntryAdmin
from entries.admin.source import SourceAdmin

__all__ = ["EntryAdmin", "SourceAdmin"]
