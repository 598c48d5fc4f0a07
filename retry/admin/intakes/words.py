"""Sentences about syncs and imports."""

from retry.models.intakes import Intake


def describe_wait(row: Intake) -> str:
    """Say what one that is queued waits for."""
    if row.dispatched:
        return "Waiting for a worker."
    return "Redis cannot be reached. This starts by itself when Redis is back."
