"""What the dispatcher tells of failures, second by second."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedFailures:
    """Attempts of one kind and source that failed alike within a minute.

    ``message`` has what varies replaced; ``upstreams`` are at most ten of those they depended on.
    """

    fingerprint: str
    error_class: str
    message: str
    kind: str
    source_id: int | None
    upstreams: Sequence[str]
    count: int
    first_at: datetime
    last_at: datetime
    sample_entry_id: int | None


def record_failures(folded: Sequence[FoldedFailures]) -> None:
    """Note failures in their groups, in the transaction that folds them.

    Each failure is given exactly once. A fingerprint may come several times in one call, once for
    each kind, source and minute.
    """
