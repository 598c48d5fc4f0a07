"""Statements that delete what ended long ago: operations, syncs, imports, holds, error groups."""

from entries.sql import load
from retry.runs.removal import FRAGMENTS as RUNS

_SQL = load(__file__, include=RUNS)

#: For other files of this room.
REPORTS = {name: _SQL.fragments[name] for name in ("report_by_id", "report_by_time")}
REMOVE_OPERATIONS = _SQL["remove_operations"]
REMOVE_SYNCS = _SQL["remove_syncs"]
REMOVE_IMPORTS = _SQL["remove_imports"]
REMOVE_HOLDS = _SQL["remove_holds"]
REMOVE_GROUPS = _SQL["remove_groups"]
REMOVE_OUTAGES = _SQL["remove_outages"]
