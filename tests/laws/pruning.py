"""Retention, for the laws about verbs."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from retry import service
from retry.outcomes import Actor
from tests.support.retention import add_at_rest

Act = Callable[[Actor], object]


def prune() -> Act:
    add_at_rest([timezone.now() - timedelta(days=100)] * 2, status="succeeded")
    return lambda actor: service.prune("succeeded", actor=actor)


def prune_batch() -> Act:
    """Its second batch finds nothing, so it ends the pass."""
    prune()

    def act(actor: Actor) -> None:
        while service.prune_batch("succeeded", actor=actor) is not None:
            pass

    return act
