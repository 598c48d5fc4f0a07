"""Lists of entries, searches and counts, bounded by work and not only by what they return.

What an index answers is exact. What none answers within the budget is looked for among the newest
entries only, and the result says how far that went.

A search looks at the newest entries first, with the very condition that an operation has: a
frequent text fills its page there. For a rare one the index of ``IndexedEntry`` has external ids
and titles; error messages of older failures are found by their group, where the text is in the
newest message of a fingerprint.
"""

from entries.lists.counts import MOST, count, count_each
from entries.lists.indexes import find_alone, find_rows, is_indexed, narrow, use_index
from entries.lists.pages import ListPage, find_behind, find_page, read_rows
from entries.lists.received import filter_received
from entries.lists.search import search
from entries.lists.status_counts import COUNTED_STATUSES, count_by_source, count_by_status
from entries.lists.windows import BY_FAILURE, BY_ID, Order, choose_order

__all__ = [
    "BY_FAILURE",
    "BY_ID",
    "COUNTED_STATUSES",
    "MOST",
    "ListPage",
    "Order",
    "choose_order",
    "count",
    "count_by_source",
    "count_by_status",
    "count_each",
    "filter_received",
    "find_alone",
    "find_behind",
    "find_page",
    "find_rows",
    "is_indexed",
    "narrow",
    "read_rows",
    "search",
    "use_index",
]
