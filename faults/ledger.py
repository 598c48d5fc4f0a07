"""The ledger: what was really executed, written by the kinds to a file unknown to the product.

A line for each begin and each end: ``B <entry> <attempt> <pid> <seconds>``. One ``write`` appends
each line, so it is complete even if the writer is killed.
"""

import os
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "FAULTS_LEDGER"


def note(what: str, entry_id: int, attempt: int) -> None:
    descriptor = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        line = f"{what} {entry_id} {attempt} {os.getpid()} {time.monotonic():.4f}\n"
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Execution:
    """``ended`` is None if the process died, or the work was stopped."""

    entry_id: int
    attempt: int
    pid: int
    began: float
    ended: float | None


@dataclass(slots=True)
class Ledger:
    """Executions by entry, in the order in which they began."""

    by_entry: Mapping[int, list[Execution]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        found: dict[int, list[Execution]] = defaultdict(list)
        if not path.exists():
            return cls(found)
        for line in path.read_text().splitlines():
            what, *numbers, at = line.split()
            entry_id, attempt, pid = map(int, numbers)
            if what == "B":
                found[entry_id].append(Execution(entry_id, attempt, pid, float(at), None))
                continue
            for place, begun in enumerate(found[entry_id]):
                if (begun.attempt, begun.pid, begun.ended) == (attempt, pid, None):
                    found[entry_id][place] = Execution(
                        entry_id, attempt, pid, begun.began, float(at)
                    )
        return cls(found)

    def count(self) -> int:
        return sum(map(len, self.by_entry.values()))
