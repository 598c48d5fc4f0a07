"""Lockout after failed logins, within a quarter of an hour.

Ten for an account from one address, fifty for an account or an address.
"""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.db.models import Sum
from django.http import HttpRequest

#: How many failures count as one, in the order of ``AXES_LOCKOUT_PARAMETERS``. An office shares
#: an address, and ten guesses must not lock another person out.
WEIGHTS = (1, 5, 5)


class LockoutHandler(AxesDatabaseHandler):
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Count the failures to compare with ``AXES_FAILURE_LIMIT``."""
        found = self.get_user_attempts(request, credentials)
        sums = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in found
        )
        return max(total // weight for total, weight in zip(sums, WEIGHTS, strict=True))

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Forget the failures of the account from this address, and no others.

        A login with one's own account must not erase failed attempts at others.
        """
        count, _ = self.get_user_attempts(request, credentials)[0].delete()
        return int(count)
