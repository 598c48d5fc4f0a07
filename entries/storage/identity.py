"""Which stored entry an item is: the one of its source with its external id."""

from entries.sql import load

#: For statements with the parameters ``source_id`` (or NULL) and ``external_ids``.
FRAGMENTS = load(__file__).fragments
