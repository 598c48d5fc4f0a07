"""Statements that delete entries: old ones, and deliveries with their notices."""

from entries.sql import load
from entries.transitions.removal import FRAGMENTS as REMOVAL
from retry.runs.removal import FRAGMENTS as RUNS

_SQL = load(__file__, include={**REMOVAL, "under_way": RUNS["under_way"]})

REMOVE_ENTRIES = _SQL["remove_entries"]
REMOVE_DISCARDED = _SQL["remove_discarded"]
REMOVE_NOTICES = _SQL["remove_notices"]
