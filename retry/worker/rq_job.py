"""RQ's job class, hardened.

Anything that can write to Redis can forge a job. So a job may hold only one of three function names
and one short string.
"""

import re
from typing import Any

from rq.exceptions import DeserializationError
from rq.job import Job

from retry.queue import EXECUTE_RUN, IMPORT_FILE, SYNC_SOURCE
from retry.worker import jobs

ALLOWED = {
    EXECUTE_RUN: jobs.execute_run,
    SYNC_SOURCE: jobs.sync_source,
    IMPORT_FILE: jobs.import_file,
}
_ARGUMENT = re.compile(r"[A-Za-z0-9_-]{1,100}")

#: Fields of a job's hash that would make RQ call or schedule something else.
_REFUSED_FIELDS = (
    b"success_callback_name",
    b"failure_callback_name",
    b"stopped_callback_name",
    b"webhooks",
    b"dependency_ids",
    b"dependency_id",
    b"repeats_left",
    b"repeat_intervals",
    b"retries_left",
    b"retry_intervals",
    b"rate_limit_key",
    b"meta",
    b"result",
    b"exc_info",
)


class RunJob(Job):
    """A job that can call nothing but the functions in ``ALLOWED``."""

    def restore(self, raw_data: dict[bytes, bytes]) -> Any:
        """Restore a job from its hash, without the fields that make RQ call something else."""
        accepted = {key: value for key, value in raw_data.items() if key not in _REFUSED_FIELDS}
        return super().restore(accepted)

    def _deserialize_data(self) -> None:
        super()._deserialize_data()
        args = self._args
        if (
            self._func_name not in ALLOWED
            or self._instance is not None
            or self._kwargs
            or not isinstance(args, list | tuple)
            or len(args) != 1
            or not isinstance(args[0], str)
            or not _ARGUMENT.fullmatch(args[0])
        ):
            raise DeserializationError(f"job {self.id} is not a job of this product")

    @property
    def func(self) -> Any:
        return ALLOWED[str(self.func_name)]
