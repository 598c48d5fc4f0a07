"""Which queue a run goes to, and how long its job may take: by its kind."""

from django.conf import settings

from entries.kinds import registry

#: RQ kills the work-horse so many seconds after its entries' own time limits.
_SPARE_SECONDS = 60


def choose_queue(kind: str, *, bulk: bool) -> str:
    """Return the queue for people's clicks, or with ``bulk`` the one for everything else."""
    known = registry.find(kind)
    if known is None:
        return "bulk" if bulk else "default"
    return known.bulk_queue if bulk else known.queue


def compute_job_timeout(*, kind: str, size: int, resync: bool) -> int:
    """Return the seconds after which RQ kills the work-horse: more than the entries' time limits
    together, so it matters only where those fail.
    """
    known = registry.find(kind)
    each = known.time_limit if known else 60.0
    reading = settings.REDRIVE_SYNC_TIMEOUT if resync else 0
    return int(each * size) + reading + _SPARE_SECONDS
