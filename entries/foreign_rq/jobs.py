"""Failed jobs as raw hashes tell of them, some hundreds at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from entries.foreign_rq.calls import find_function
from entries.foreign_rq.failures import describe_failure, read_text
from entries.foreign_rq.store import Store
from entries.text import ErrorInfo, clean_text

#: Jobs that are read together, and bytes of their larger fields; what is longer is left out.
BATCH = 200
_MAX_FIELD = 1024 * 1024
#: A description holds the arguments as well.
_MAX_DESCRIPTION = 2_000
#: Statuses of what lies in a failed-job registry.
FAILED = frozenset({"failed", "stopped"})
_SMALL = (
    "status",
    "origin",
    "created_at",
    "enqueued_at",
    "started_at",
    "ended_at",
    "worker_name",
    "redrive_enqueued_at",
    "redrive_id",
)
_LARGE = ("data", "description", "exc_info")
_LATEST = ("+", "-", "COUNT", "1")


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job and its last failure. ``external_id`` is the same until another failure follows that
    was not Redrive's doing.
    """

    id: str
    external_id: str
    queue: str
    function: str
    description: str
    created_at: str
    error: ErrorInfo
    queued_at: datetime | None
    started_at: datetime | None
    failed_at: datetime | None
    worker: str


@dataclass(frozen=True, slots=True)
class NoJob:
    """In the registry, and not a failed job any more; or what is under its key is no job."""


NO_JOB = NoJob()


def read_failed(store: Store, queue: str) -> Iterator[FailedJob | NoJob]:
    """Yield what is in the failed-job registry of a queue. Raises ``StoreAway``."""
    ids = store.scan(store.key("failed", queue))
    while batch := list(islice(ids, BATCH)):
        yield from read_jobs(store, queue, [id_.decode("utf-8", "replace") for id_ in batch])


def read_jobs(store: Store, queue: str, ids: Sequence[str]) -> Iterator[FailedJob | NoJob]:
    """Yield the failed jobs of a queue with these ids, one for each id, in order."""
    keys = [store.key("job", id_) for id_ in ids]
    small = store.ask([("HMGET", key, *_SMALL) for key in keys])
    sizes = iter(store.ask([("HSTRLEN", key, name) for key in keys for name in _LARGE]))
    fitting = [
        [name for name in _LARGE if 0 < (next(sizes) or 0) <= _MAX_FIELD] or ["status"]
        for _ in keys
    ]
    large = store.ask([("HMGET", key, *names) for key, names in zip(keys, fitting, strict=True)])
    results = store.ask([("XREVRANGE", store.key("results", id_), *_LATEST) for id_ in ids])
    for id_, some, names, values, found in zip(ids, small, fitting, large, results, strict=True):
        fields = dict(zip(_SMALL, some or (), strict=False))
        fields |= dict(zip(names, values or (), strict=True)) if values else {}
        yield _build_job(id_, queue, fields, _read_result(found))


def read_error(store: Store, id_: str, exc_info: bytes | None) -> tuple[ErrorInfo, str]:
    """Return the error of a job's last failure, and the worker that it failed in, if known."""
    (found,) = store.ask([("XREVRANGE", store.key("results", id_), *_LATEST)])
    result = _read_result(found)
    return describe_failure(_read_traceback(result, exc_info)), _text(result.get(b"worker_name"))


def _build_job(
    id_: str, queue: str, fields: dict[str, bytes | None], result: dict[bytes, bytes]
) -> FailedJob | NoJob:
    if _text(fields.get("status")) not in FAILED or _text(fields.get("origin")) != queue:
        return NO_JOB
    description = clean_text(fields.get("description"), limit=_MAX_DESCRIPTION)
    enqueued_at = _text(fields.get("enqueued_at"))
    ours = enqueued_at and enqueued_at == _text(fields.get("redrive_enqueued_at"))
    known = _text(fields.get("redrive_id"), limit=600) if ours else ""
    ended_at = parse_time(fields.get("ended_at"))
    return FailedJob(
        id=id_,
        external_id=known or f"{id_}@{enqueued_at or _text(fields.get('created_at'))}",
        queue=queue,
        function=find_function(fields.get("data") or b"", description),
        description=description,
        created_at=_text(fields.get("created_at")),
        error=describe_failure(_read_traceback(result, fields.get("exc_info"))),
        queued_at=parse_time(fields.get("enqueued_at")),
        started_at=parse_time(fields.get("started_at")),
        failed_at=ended_at,
        worker=_text(result.get(b"worker_name")) or _text(fields.get("worker_name")),
    )


def _read_result(found: object) -> dict[bytes, bytes]:
    """Return the fields of the latest entry of a stream of results; empty where there is none."""
    if isinstance(found, list) and found and isinstance(found[0], list | tuple):
        values = found[0][-1]
        if isinstance(values, dict):
            return values
        if isinstance(values, list):
            pairs = iter(values)
            return dict(zip(pairs, pairs, strict=False))
    return {}


def _read_traceback(result: dict[bytes, bytes], exc_info: bytes | None) -> str:
    packed = result.get(b"exc_string") or exc_info
    return read_text(packed[:_MAX_FIELD] if packed else None)


def parse_time(value: bytes | None) -> datetime | None:
    """Return a time as RQ writes it; None where it is malformed or missing."""
    text = _text(value)
    try:
        time = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return time if time is None or time.tzinfo else time.replace(tzinfo=UTC)


def _text(value: bytes | None, *, limit: int = 200) -> str:
    return clean_text(value, limit=limit)
