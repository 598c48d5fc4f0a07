"""Failed logins: ten for an account from one address, fifty for either, in a quarter of an hour."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.db.models import Sum
from django.http import HttpRequest

#: In the order of ``AXES_LOCKOUT_PARAMETERS``: how many failures count as one there. An office
#: shares an address, and nobody should be able to lock somebody else out with ten guesses.
WEIGHTS = (1, 5, 5)


class LockoutHandler(AxesDatabaseHandler):
    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Count against ``AXES_FAILURE_LIMIT``: the account from this address, each by itself."""
        found = self.get_user_attempts(request, credentials)
        sums = (
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in found
        )
        return max(total // weight for total, weight in zip(sums, WEIGHTS, strict=True))

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Forget those of the account from this address only: who has an account of their own must
        not wipe out what was tried on others.
        """
        count, _ = self.get_user_attempts(request, credentials)[0].delete()
        return int(count)
