"""What RQ calls; the only functions a job may name."""

import os
import socket
from uuid import UUID, uuid4

import structlog

from retry.imports import work as imports
from retry.syncs import work
from retry.worker import execution
from retry.worker.activity import HORSE

#: A work-horse goes on with runs of the same operation for so long: being forked, connecting and
#: RQ's commands cost as much as some hundred cheap entries.
LINGER_SECONDS = 5.0


def execute_run(run_id: str) -> None:
    """Process the entries of a run. Returns nothing: the outcomes are in PostgreSQL."""
    # Not the worker's name alone: two executions by the same worker must not pass for each other.
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    with structlog.contextvars.bound_contextvars(run_id=run_id):
        execution.execute(UUID(run_id), worker=name, linger=LINGER_SECONDS, activity=HORSE)


def sync_source(sync_id: str) -> None:
    """Do a sync that was asked for. What is wrong with the source is noted in its row."""
    with structlog.contextvars.bound_contextvars(sync_id=sync_id):
        work.perform(int(sync_id), stop=execution.shutdown.is_set)


def import_file(import_id: str) -> None:
    """Do a dry run or an import that was asked for. What is wrong with the file is in its row."""
    with structlog.contextvars.bound_contextvars(import_id=import_id):
        imports.perform(UUID(import_id), stop=execution.shutdown.is_set)
