"""What may come of connecting to a broker, and of sending to it."""

from entries.errors import PermanentError, TransientError


class BrokerAway(TransientError):
    """The broker cannot be reached, or takes nothing at the moment. Nothing was sent."""


class BrokerRefused(PermanentError):
    """The broker may not be connected to, or does not take the task. Nothing was sent."""


class CeleryMissing(PermanentError):
    """Celery is not installed beside Redrive's workers. Nothing was sent."""


class MaybeSent(Exception):
    """The connection broke while the task was sent: the broker may have it, or not."""
