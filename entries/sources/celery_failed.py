"""The kind of source ``celery_failed``: what failed in a Celery installation, by its results."""

from collections.abc import Collection, Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from typing import ClassVar

from django.utils.translation import gettext_noop
from pydantic import Field

from entries.errors import SourceError
from entries.foreign_celery import (
    FailedTask,
    Results,
    ResultsAway,
    ResultsRefused,
    find_broker_problem,
    find_results_problem,
    is_rabbit,
)
from entries.sources.base import Failure, Note, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.options import Options, parse_options
from entries.sources.registry import register
from entries.text import one_line, scrub

_MAX_TITLE = 200
_QUEUE = "celery"


class CeleryOptions(Options):
    """``queue``: where tasks go that none of ``routes`` fits, each ``pattern=queue``.

    ``broker``: where tasks are sent to; without it they are only shown. ``prefix``: their
    ``global_keyprefix``, of a broker in Redis.
    """

    broker: str = Field("", max_length=2_000)
    prefix: str = Field("", pattern=r"^[A-Za-z0-9_.:{}-]{0,100}$")
    queue: str = Field(_QUEUE, min_length=1, max_length=200)
    routes: list[str] = Field(default_factory=list, max_length=1_000)

    def problems(self) -> list[str]:
        found = [
            f"option routes: {route[:100]!r} is no pattern=queue"
            for route in self.routes
            if not all(part.strip() for part in route.partition("="))
        ][:1]
        problem = find_broker_problem(self.broker) if self.broker else ""
        if problem:
            return [*found, f"option broker: {problem}"]
        if self.prefix and self.broker and is_rabbit(self.broker):
            found.append("option prefix: only for Redis, queues of RabbitMQ have none")
        return found

    def find_queue(self, task: str) -> str:
        """Return the queue of a task: that of the first pattern that fits its name."""
        routes = (route.partition("=") for route in self.routes)
        return next((q for name, _, q in routes if fnmatchcase(task, name)), self.queue)


@register
class CeleryFailedKind(SourceKind):
    """Each row of django-celery-results with the status FAILURE is an item with its failure.

    The id is the task's. The payload has ``task_id``, ``task``, ``queue`` (by the options: the rows
    do not say it), ``arguments`` (what is known of them), and ``args`` and ``kwargs``, or their
    texts. Nothing is unpickled. What Redrive has sent is left out: its entry is known.
    """

    name: ClassVar[str] = "celery_failed"
    description: ClassVar[str] = gettext_noop("The failed tasks of a Celery installation.")

    def problems_with(self, spec: SourceSpec) -> list[str]:
        found = parse_options(CeleryOptions, spec.options)[1]
        problem = find_results_problem(spec.location)
        return [*found, problem] if problem else found

    def read(self, spec: SourceSpec) -> Reading:
        options = CeleryOptions.parse(spec.options)
        results = _open(spec)
        try:
            rows = results.find_failed()
        except (ResultsAway, ResultsRefused) as error:
            results.close()
            raise _translate(error) from error
        return Reading(_read(results, rows, options), total=len(rows))

    def read_some(self, spec: SourceSpec, external_ids: Collection[str]) -> Iterator[SourceItem]:
        options = CeleryOptions.parse(spec.options)
        with closing(_open(spec)) as results:
            try:
                for task in results.read_tasks(sorted(external_ids)):
                    yield _build_item(task, options)
            except (ResultsAway, ResultsRefused) as error:
                raise _translate(error) from error


def _open(spec: SourceSpec) -> Results:
    try:
        return Results(spec.location)
    except ResultsRefused as error:
        raise _translate(error) from error


def _translate(error: ResultsAway | ResultsRefused) -> SourceError:
    return SourceError("unreachable" if isinstance(error, ResultsAway) else "refused", str(error))


def _read(results: Results, rows: list[int], options: CeleryOptions) -> Iterator[SourceItem | Note]:
    without_name = 0
    with closing(results):
        try:
            for task in results.read_failed(rows):
                without_name += not task.name
                yield _build_item(task, options)
        except (ResultsAway, ResultsRefused) as error:
            raise _translate(error) from error
    if results.is_cut(rows):
        yield Note(
            "only the newest failures were read: there are more than a million", partial=True
        )
    if without_name:
        yield Note(
            f"{without_name:,} without name and arguments: set result_extended in the installation"
        )


def _build_item(task: FailedTask, options: CeleryOptions) -> SourceItem:
    known = task.arguments
    positional = known.args_text or f"({', '.join(map(repr, known.args or ()))})"
    named = known.kwargs_text or str(known.kwargs or "")
    title = f"{task.name or task.id}{positional} {'' if named == '{}' else named}"
    return SourceItem(
        task.id,
        one_line(scrub(title), limit=_MAX_TITLE),
        {
            "task_id": task.id,
            "task": task.name,
            "queue": options.find_queue(task.name),
            **known.as_payload(),
        },
        failure=Failure(
            task.error,
            queued_at=task.created_at,
            started_at=task.started_at,
            failed_at=task.failed_at,
            worker=task.worker,
        ),
    )
