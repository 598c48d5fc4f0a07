"""Deleting runs that ended long ago: statements for retention.

``FRAGMENTS`` has ``under_way``, the entries that open runs hold, and ``removing_runs``.
"""

from entries.sql import load

_SQL = load(__file__)

FRAGMENTS = _SQL.fragments
REMOVE_RUNS = _SQL["remove_runs"]
