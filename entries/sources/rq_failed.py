"""The failed jobs of an RQ installation, as entries that have failed."""

from collections.abc import Collection, Iterator
from typing import ClassVar

from django.utils.translation import gettext_noop
from pydantic import Field

from entries.errors import SourceError
from entries.foreign_rq import (
    PREFIX,
    FailedJob,
    Store,
    StoreAway,
    StoreRefused,
    find_address_problem,
    read_failed,
    read_jobs,
)
from entries.sources.base import Failure, Note, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.options import Options, parse_options
from entries.sources.registry import register
from entries.text import one_line, scrub

_MAX_TITLE = 200
_OWN = "redrive-"


class RqOptions(Options):
    """``queues`` are names without ``rq:queue:``; ``prefix`` is what stands there for ``rq``."""

    prefix: str = Field(PREFIX, pattern=r"^[A-Za-z0-9_.:{}-]{1,100}$")
    queues: list[str] = Field(min_length=1, max_length=1_000)

    def problems(self) -> list[str]:
        found = [name for name in self.queues if not name.strip() or name.startswith(_OWN)]
        if found:
            return [f"option queues: {found[0][:100]!r} is not a queue that can be adopted"]
        return []


@register
class RqFailedKind(SourceKind):
    """Each job in the failed-job registry of one of the queues is an item with its failure.

    The id is the job's with the time at which it was enqueued: a job that others have requeued and
    that failed again is another item. The payload has ``job``, ``queue``, ``function``,
    ``description`` and ``created_at``. Nothing is unpickled.
    """

    name: ClassVar[str] = "rq_failed"
    description: ClassVar[str] = gettext_noop("The failed jobs of an RQ installation.")

    def problems_with(self, spec: SourceSpec) -> list[str]:
        found = parse_options(RqOptions, spec.options)[1]
        problem = find_address_problem(spec.location)
        return [*found, problem] if problem else found

    def read(self, spec: SourceSpec) -> Reading:
        options = RqOptions.parse(spec.options)
        queues, store = options.queues, _open(spec, options.prefix)
        try:
            total = sum(store.count(store.key("failed", queue)) for queue in queues)
        except StoreAway as error:
            raise _translate(error) from error
        return Reading(_read(store, queues), total=total)

    def read_some(self, spec: SourceSpec, external_ids: Collection[str]) -> Iterator[SourceItem]:
        """Read the jobs by their ids, which stand before the last ``@``."""
        options = RqOptions.parse(spec.options)
        queues, store = options.queues, _open(spec, options.prefix)
        wanted = set(external_ids)
        ids = list(dict.fromkeys(id_.rpartition("@")[0] for id_ in external_ids))
        try:
            for queue in queues:
                for job in read_jobs(store, queue, ids):
                    if isinstance(job, FailedJob) and job.external_id in wanted:
                        yield _build_item(job)
        except StoreAway as error:
            raise _translate(error) from error


def _open(spec: SourceSpec, prefix: str) -> Store:
    try:
        return Store(spec.location, prefix=prefix)
    except StoreRefused as error:
        raise SourceError("refused", str(error)) from error


def _translate(error: StoreAway) -> SourceError:
    return SourceError("unreachable", str(error))


def _read(store: Store, queues: list[str]) -> Iterator[SourceItem | Note]:
    left_out = 0
    try:
        for queue in dict.fromkeys(queues):
            for job in read_failed(store, queue):
                if isinstance(job, FailedJob):
                    yield _build_item(job)
                else:
                    left_out += 1
    except StoreAway as error:
        raise _translate(error) from error
    if left_out:
        yield Note(f"{left_out:,} in the registry left out: not there, or not failed any more")


def _build_item(job: FailedJob) -> SourceItem:
    title = one_line(scrub(job.description), limit=_MAX_TITLE) or job.function or job.id
    return SourceItem(
        job.external_id,
        title,
        {
            "job": job.id,
            "queue": job.queue,
            "function": job.function,
            "description": job.description,
            "created_at": job.created_at,
        },
        failure=Failure(
            job.error,
            queued_at=job.queued_at,
            started_at=job.started_at,
            failed_at=job.failed_at,
            worker=job.worker,
        ),
    )
