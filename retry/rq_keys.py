"""What RQ has in Redis: its keys, and the jobs in them."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

_REGISTRIES = ("wip", "finished", "failed", "deferred", "ready", "scheduled", "canceled")


@dataclass(frozen=True, slots=True)
class BrokerView:
    """Which jobs the broker holds: ``waiting`` in a list, or ``taken`` by a worker."""

    waiting: AbstractSet[str]
    taken: AbstractSet[str]


def find_expected_types(queues: Sequence[str]) -> Mapping[str, bytes]:
    """Return RQ's keys for these queues and the type of each."""
    types = {"rq:queues": b"set", "rq:workers": b"set"}
    for name in queues:
        types |= {
            f"rq:queue:{name}": b"list",
            f"rq:queue:{name}:intermediate": b"list",
            f"rq:workers:{name}": b"set",
        }
        types |= {f"rq:{registry}:{name}": b"zset" for registry in _REGISTRIES}
    return types
