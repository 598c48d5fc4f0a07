"""System checks of what kinds ask of the queues."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from entries.kinds import registry
from entries.registry import WORK


@register(WORK)
def queues_exist(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001
    """Report kinds whose queue is not configured: they would fail at the first click."""
    known = ", ".join(settings.RQ_QUEUES)
    return [
        Error(
            f"The kind {name!r} wants the queue {queue!r}, which RQ_QUEUES does not have.",
            hint=f"Use one of: {known}.",
            id="retry.E001",
        )
        for name, kind in registry.all_kinds().items()
        for queue in (kind.queue, kind.bulk_queue)
        if queue not in settings.RQ_QUEUES
    ]
