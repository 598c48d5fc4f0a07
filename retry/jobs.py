"""What RQ calls; the only two functions a job may name."""

import os
import socket
from uuid import UUID, uuid4

import structlog

from entries.models import Source
from retry import execution, service
from retry.outcomes import Actor

#: A work-horse goes on with runs of the same operation for so long: being forked, connecting and
#: RQ's commands cost as much as some hundred cheap entries.
LINGER_SECONDS = 5.0


def execute_run(run_id: str) -> None:
    """Process the entries of a run. Returns nothing: the outcomes are in PostgreSQL."""
    # Not the worker's name alone: two executions by the same worker must not pass for each other.
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    with structlog.contextvars.bound_contextvars(run_id=run_id):
        execution.execute(UUID(run_id), worker=name, linger=LINGER_SECONDS)


def sync_source(slug: str) -> None:
    """Read a source. What was wrong with it is noted on the source and raised for RQ's log."""
    source = Source.objects.get(slug=slug)
    with structlog.contextvars.bound_contextvars(source=slug):
        service.sync_source(source, actor=Actor.system("sync"))
