"""What has failed in another RQ installation: read, put back, and looked at until it has ended.

Raw hashes and sets of Redis are read, and nothing is ever unpickled: RQ itself is not imported.
``store`` is the only module that speaks to that Redis.
"""

from entries.foreign_rq.address import find_address_problem
from entries.foreign_rq.jobs import NO_JOB, FailedJob, read_failed, read_jobs
from entries.foreign_rq.requeue import Mark, Sight, look, put_back, read_last_error, settle
from entries.foreign_rq.store import PREFIX, Store, StoreAway, StoreRefused

__all__ = [
    "NO_JOB",
    "PREFIX",
    "FailedJob",
    "Mark",
    "Sight",
    "Store",
    "StoreAway",
    "StoreRefused",
    "find_address_problem",
    "look",
    "put_back",
    "read_failed",
    "read_jobs",
    "read_last_error",
    "settle",
]
