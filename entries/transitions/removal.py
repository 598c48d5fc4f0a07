"""Deleting entries and attempts that have been at rest for long: statements for retention.

``FRAGMENTS`` has ``removing_entries``, for statements that know what else refers to an entry.
"""

from entries.sql import load

_SQL = load(__file__)

FRAGMENTS = {"removing_entries": _SQL.fragments["removing_entries"]}
REMOVE_ATTEMPTS = _SQL["remove_attempts"]
BLANK_TRACEBACKS = _SQL["blank_tracebacks"]
