"""The metrics as prometheus-client's families. docs/operations.md says what each of them means."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from django.conf import settings
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from entries.states import EntryStatus
from retry.metrics.gauges import GAUGES, Gauges
from retry.models import GroupState, OperationState, OutcomeTotal, WorkerState
from retry.outcome_counts import DURATION_BOUNDS

_OPEN_STATES = (
    OperationState.AWAITING,
    OperationState.PLANNED,
    OperationState.RUNNING,
    OperationState.PAUSED,
)
_WORKER_STATES = (*(state.value for state in WorkerState), "silent")
_OUTCOMES = ("succeeded", "failed")
_BOUNDS = (*(str(bound) for bound in DURATION_BOUNDS), "+Inf")


class DeskCollector(Collector):
    """Collects the metrics of a scrape; iterating raises the database's errors.

    Counters are read for each scrape, because an older number than the last one would look like a
    restart; gauges are those of a moment ago.
    """

    def collect(self) -> Iterable[Metric]:
        totals = list(OutcomeTotal.objects.order_by("kind", "outcome"))
        gauges = GAUGES.get()
        yield from _collect_totals(totals)
        yield from _collect_gauges(gauges)


def _collect_totals(totals: list[OutcomeTotal]) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "redrive_attempts", "Attempts that ended.", labels=["kind", "outcome"]
    )
    durations = HistogramMetricFamily(
        "redrive_attempt_duration_seconds",
        "How long the processing of attempts took.",
        labels=["kind", "outcome"],
    )
    rescues = CounterMetricFamily(
        "redrive_rescues",
        "Attempts that ended with their worker and are repeated.",
        labels=["kind"],
    )
    known = {(total.kind, total.outcome): total for total in totals}
    for kind in sorted({kind for kind, _ in known}):
        for outcome in _OUTCOMES:
            # Both from the beginning: what appears with its first failure has no rate before.
            total = known.get((kind, outcome)) or OutcomeTotal(count=0, seconds=0.0, buckets=[])
            attempts.add_metric([kind, outcome], total.count)
            counts = total.buckets or [0] * len(_BOUNDS)
            durations.add_metric(
                [kind, outcome],
                list(zip(_BOUNDS, accumulate(counts), strict=True)),
                sum_value=total.seconds,
            )
        lost = known.get((kind, "lost"))
        rescues.add_metric([kind], lost.count if lost else 0)
    yield from (attempts, durations, rescues)


def _collect_gauges(gauges: Gauges) -> Iterator[Metric]:
    queues = tuple(settings.REDRIVE_QUEUES)
    statuses = [status.value for status in EntryStatus]
    yield _gauge(gauges, "entries", "Entries; approximate above 10,000.", status=statuses)
    yield _gauge(
        gauges,
        "queue_wait_seconds",
        "How long the oldest work that could start has waited.",
        queue=queues,
    )
    yield _gauge(gauges, "undispatched_runs", "Runs that could start and have no job in Redis.")
    yield _gauge(
        gauges, "handover_lag_seconds", "How long the oldest run without a job in Redis has waited."
    )
    states = [state.value for state in _OPEN_STATES]
    yield _gauge(gauges, "operations", "Operations that have not ended.", state=states)
    yield _gauge(gauges, "holds", "Holds that stand.", put_by=("person", "breaker"))
    groups = [state.value for state in GroupState]
    yield _gauge(gauges, "error_groups", "Error groups.", state=groups)
    yield _gauge(gauges, "workers", "Worker processes.", queue=queues, state=_WORKER_STATES)
    if "dispatcher_beat_age_seconds" in gauges.values:  # none has ever run
        yield _gauge(
            gauges, "dispatcher_beat_age_seconds", "Time since the dispatcher's last heartbeat."
        )
        yield _gauge(
            gauges, "dispatcher_tick_seconds", "How long the dispatcher's last round took."
        )
        yield _gauge(gauges, "dispatcher_broken_steps", "Steps that failed in the last round.")
    yield _gauge(gauges, "outage_open", "Whether an outage is under way.")
    yield GaugeMetricFamily(
        "redrive_redis_up", "Whether Redis answers.", value=float(gauges.jobs is not None)
    )
    jobs = GaugeMetricFamily("redrive_queue_jobs", "Jobs waiting in Redis.", labels=["queue"])
    for name, count in (gauges.jobs or {}).items():
        jobs.add_metric([name], count)
    yield jobs


def _gauge(gauges: Gauges, name: str, words: str, **labels: Iterable[str]) -> GaugeMetricFamily:
    """Build a gauge with zeros for what there is none of; ``labels``: the values to expect."""
    found = dict(gauges.values.get(name, {}))
    family = GaugeMetricFamily(f"redrive_{name}", words, labels=list(labels))
    expected: list[tuple[str, ...]] = [()]
    for values in labels.values():
        expected = [(*before, value) for before in expected for value in values]
    for key in expected:
        found.setdefault((*key, *[""] * (2 - len(key))), 0.0)  # type: ignore[arg-type]
    for key, value in sorted(found.items()):
        family.add_metric(list(key[: len(labels)]), value)
    return family
