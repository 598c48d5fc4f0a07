"""Very many runs, without their entries."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from retry.models import Run
from tests.support.plans import analyze


def add_ended(count: int, **values: Any) -> None:
    """Runs with an outcome, which ended one after the other until now."""
    now = timezone.now()
    _add(
        Run(
            position=number,
            state="finished",
            started_at=now - timedelta(seconds=count - number + 1),
            ended_at=now - timedelta(seconds=count - number),
            **({"succeeded": 1} | values),
        )
        for number in range(count)
    )


def add_queued(count: int, **values: Any) -> list[Run]:
    """Runs that wait, the oldest first, without a job unless ``values`` say otherwise."""
    now = timezone.now()
    return _add(
        Run(
            state="queued",
            created_at=now - timedelta(seconds=count - number),
            **values,
        )
        for number in range(count)
    )


def add_running(count: int, **values: Any) -> None:
    """Runs of so many other workers, which have nothing to count."""
    Run.objects.bulk_create(
        Run(
            trigger="retry",
            actor_label="test",
            kind="grouped",
            queue="bulk",
            entry_ids=[],
            size=0,
            state="running",
            job_id=f"other-{number}",
            worker=f"other-{number}",
            lease_expires_at=timezone.now() + timedelta(hours=1),
            **values,
        )
        for number in range(count)
    )


def _add(runs: Any) -> list[Run]:
    made = list(runs)
    for number, run in enumerate(made):
        run.trigger, run.actor_label, run.size = "retry", "test", 1
        run.kind, run.queue = run.kind or "grouped", "bulk"
        run.job_id, run.entry_ids = f"job-{run.pk.hex}", [number]
    Run.objects.bulk_create(made)
    analyze()
    return made
