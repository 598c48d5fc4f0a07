"""What the verbs of subscriptions refuse; no HTTP."""

from typing import ClassVar

from entries.phrases import phrase
from retry.errors import RetryError


class SubscriptionNotFound(RetryError):
    """There is no such subscription, or it is another user's."""

    code: ClassVar[str] = "subscription_not_found"

    def __init__(self, subscription_id: int) -> None:
        super().__init__(
            phrase("There is no subscription %(subscription)s.", subscription=str(subscription_id))
        )
        self.subscription_id = subscription_id


class SubscriptionRefused(RetryError):
    """A subscription needs an event, and an address or an endpoint that is known."""

    code: ClassVar[str] = "subscription_refused"
