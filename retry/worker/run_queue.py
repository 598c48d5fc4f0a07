"""A worker's queue, which does without what it cannot read from Redis."""

import logging
from typing import Any

from django_rq.queues import DjangoRQ
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004

logger = logging.getLogger(__name__)


class RunQueue(DjangoRQ):
    """A worker's queue that drops what it cannot read from Redis; RQ would end the worker.

    A run whose job is dropped is handed over again.
    """

    @classmethod
    def lmove(cls, connection: Redis, queue_key: str, timeout: int | None) -> Any:
        while True:
            found = super().lmove(connection, queue_key, timeout)
            try:
                if found is not None:
                    found[1].decode()
            except UnicodeDecodeError:
                _drop(connection, queue_key, found[1])
            else:
                return found

    @classmethod
    def _fetch_dequeued_job(  # type: ignore[override] # RQ's own calls alone
        cls, connection: Redis, queue_key: str, job_id: str, **options: Any
    ) -> Any:
        try:
            found = super()._fetch_dequeued_job(connection, queue_key, job_id, **options)
        except (ConnectionError, TimeoutError, OSError):
            raise
        except Exception:  # noqa: BLE001 - a hash can be malformed in any way
            found = None
        if found is None:  # RQ leaves the id of a job that is gone in the list
            _drop(connection, queue_key, job_id)
        return found


def _drop(connection: Redis, queue_key: str, member: bytes | str) -> None:
    logger.warning("queue.dropped", extra={"key": queue_key, "member": repr(member[:60])})
    connection.lrem(f"{queue_key}:intermediate", 0, member)  # type: ignore[arg-type]
