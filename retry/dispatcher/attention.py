"""Which of the breaker's holds the dispatcher has to look at."""

from collections.abc import Sequence

from entries.sql import load
from retry.models import Hold

_SQL = load(__file__)

#: The hold on an upstream is lifted once nothing has waited for it for so long.
FORGOTTEN_SECONDS = 3600.0


def find_due_holds() -> Sequence[Hold]:
    """Find holds with a probe under way, and those whose next probe is due and has work to try."""
    return list(Hold.objects.raw(_SQL["holds_with_work"], {"forgotten": FORGOTTEN_SECONDS}))
