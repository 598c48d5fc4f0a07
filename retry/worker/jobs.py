"""The functions that RQ calls, and the only ones a job may name."""

import os
import socket
from uuid import UUID, uuid4

import structlog

from retry import signals
from retry.imports import work as imports
from retry.syncs import work as syncs
from retry.worker import execution
from retry.worker.activity import HORSE
from retry.worker.patience import shutdown

#: How long a work-horse continues with the next runs of an operation. Forking, connecting and RQ's
#: commands cost as much as some hundred cheap entries.
LINGER_SECONDS = 5.0


def execute_run(run_id: str) -> None:
    """Process the entries of a run. Returns nothing: the outcomes are in PostgreSQL."""
    # Unique for each execution: two by the same process must not be taken for one.
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    with structlog.contextvars.bound_contextvars(run_id=run_id):
        execution.execute(UUID(run_id), worker=name, linger=LINGER_SECONDS, activity=HORSE)
        signals.OUTBOX.drain(signals.DRAIN_SECONDS)


def sync_source(sync_id: str) -> None:
    """Perform a sync. Its row says what is wrong with the source."""
    with structlog.contextvars.bound_contextvars(sync_id=sync_id):
        syncs.perform(int(sync_id), stop=shutdown.is_set)


def import_file(import_id: str) -> None:
    """Perform a dry run or an import. Its row says what is wrong with the file."""
    with structlog.contextvars.bound_contextvars(import_id=import_id):
        imports.perform(UUID(import_id), stop=shutdown.is_set)
