"""What processes import before they need it."""

import logging

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from entries.database.limits import Role
from retry.tasks.calls import read_backends

logger = logging.getLogger(__name__)


def prepare() -> None:
    """In a worker, import the modules ``tasks`` of installed apps, where tasks are configured.

    Each work-horse is a fork, and would import them again.
    """
    backends = read_backends().values()
    own = any(str(backend.get("BACKEND", "")).startswith("retry.tasks.") for backend in backends)
    if not own or settings.REDRIVE_ROLE != Role.WORKER:
        return
    from retry.tasks import backend  # noqa: F401

    try:
        autodiscover_modules("tasks")
    except Exception:
        # Each task of that module fails with the same error, and is there to be retried.
        logger.exception("tasks.not_imported")
