"""How long an operation will take, by its pace or by how long entries of its kinds took lately."""

from collections.abc import Mapping
from dataclasses import dataclass

from entries.kinds import registry
from retry import heartbeats
from retry.operations.sizes import read_seconds


@dataclass(frozen=True, slots=True)
class Forecast:
    """``seconds`` at ``rate`` entries a second; ``paced``: the pace is what limits it."""

    seconds: float
    rate: float
    paced: bool


def forecast(kinds: Mapping[str, int], *, rate_per_second: float | None = None) -> Forecast | None:
    """Forecast an operation on so many entries by kind, with the workers that are alive now.

    None where nothing is known: no pace, and no worker or no outcomes of these kinds lately.
    """
    entries = sum(kinds.values())
    if not entries:
        return None
    work = _estimate_work(kinds)
    paced = None if rate_per_second is None else entries / rate_per_second
    if paced is not None and (work is None or paced >= work):
        return Forecast(paced, entries / paced, paced=True)
    return None if not work else Forecast(work, entries / work, paced=False)


def _estimate_work(kinds: Mapping[str, int]) -> float | None:
    """Estimate the seconds of work, the slowest queue's; None where a kind is unknown."""
    known = registry.all_kinds()
    took = read_seconds()
    workers = [worker.queue for worker in heartbeats.list_workers() if not worker.silent]
    by_queue: dict[str, float] = {}
    for kind, entries in kinds.items():
        if kind not in known or kind not in took:
            return None
        queue = known[kind].bulk_queue
        if queue not in workers:
            return None
        by_queue[queue] = by_queue.get(queue, 0.0) + entries * took[kind] / workers.count(queue)
    return max(by_queue.values(), default=None)
