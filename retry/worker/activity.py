"""What a work-horse is doing, in memory that it shares with its worker.

The work-horse writes and its worker reads. A work-horse that hangs in a C library, holds the
interpreter lock or was killed could not answer a question.
"""

import mmap
import time
from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

#: Runs that one work-horse can have at once.
MAX_RUNS = 64
#: Entries of it that can have begun and are not recorded yet.
MAX_BEGUN = 1024

_ID_BYTES, _NAME_BYTES = 16, 200
_NONE = bytes(_ID_BYTES)
#: Until when a source is being read; 0: none is.
_READING = Struct("d")
#: The deadline of an entry, 0 once it is over, and its id, 0 where the slot is free.
_SLOT = Struct("dq")
_WORKER = 64
_RUNS = 512
_LOST = _RUNS + MAX_RUNS * _ID_BYTES
_SLOTS = _LOST + MAX_RUNS * _ID_BYTES
_SIZE = _SLOTS + MAX_BEGUN * _SLOT.size
#: A snapshot taken during writes is repeated, a few times.
_MAX_LOOKS = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the work-horse was doing at one moment.

    ``worker`` is the name of the execution, empty where there is none. ``begun``: the entries that
    have begun and were not recorded yet. ``under_way``: those of them that are not over, each with
    its deadline by ``time.monotonic``, which is one clock for all processes. ``reading``: the
    deadline of the source that is being read, 0 where none is.
    """

    worker: str = ""
    run_ids: tuple[UUID, ...] = ()
    begun: frozenset[int] = frozenset()
    under_way: frozenset[tuple[int, float]] = frozenset()
    reading: float = 0.0


class Activity:
    """The shared memory. Create it in the worker, before the fork.

    A write takes about a microsecond. ``begin``, ``end`` and ``forget`` may be called by several
    threads, each for other entries.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)
        self._runs: dict[UUID, int] = {}
        self._slots: dict[int, int] = {}
        self._free = list(range(MAX_BEGUN))

    def clear(self) -> None:
        """Forget everything: nothing is left to settle, should the process die now."""
        self._memory[:] = bytes(_SIZE)
        self.__dict__.update(_runs={}, _slots={}, _free=list(range(MAX_BEGUN)))

    # Called by the worker.

    def separate(self) -> None:
        """Use memory that no other worker has: it may have been made before workers were forked."""
        self._memory = mmap.mmap(-1, len(self._memory))

    # Written by the work-horse.

    def start(self, worker: str) -> None:
        self.clear()
        name = worker.encode()[:_NAME_BYTES]
        self._memory[_WORKER : _WORKER + len(name)] = name

    def hold(self, run_id: UUID) -> None:
        """Note that a run was claimed."""
        place = next(n for n in range(MAX_RUNS) if n not in self._runs.values())
        self._runs[run_id] = place
        self._write_run(place, run_id.bytes)

    def drop(self, run_id: UUID) -> None:
        """Note that a run has ended, or is no longer this worker's."""
        self._write_run(self._runs.pop(run_id), _NONE)

    def begin(self, entry_id: int, *, seconds: float) -> None:
        """Note that an entry begins, with ``seconds`` as its time limit."""
        slot = self._slots[entry_id] = self._free.pop()
        deadline = time.monotonic() + seconds
        _SLOT.pack_into(self._memory, _SLOTS + slot * _SLOT.size, deadline, entry_id)

    def end(self, entry_id: int) -> None:
        """Note that an entry is over and waits to be recorded, which may take any time."""
        slot = self._slots[entry_id]
        _SLOT.pack_into(self._memory, _SLOTS + slot * _SLOT.size, 0.0, entry_id)

    def forget(self, entry_ids: Iterable[int]) -> None:
        """Note that entries were recorded; unknown ids are ignored."""
        for entry_id in entry_ids:
            slot = self._slots.pop(entry_id, None)
            if slot is not None:
                _SLOT.pack_into(self._memory, _SLOTS + slot * _SLOT.size, 0.0, 0)
                self._free.append(slot)

    def read(self, *, seconds: float) -> None:
        """Note that a source is being read, which may take ``seconds``; 0: not any more."""
        deadline = time.monotonic() + seconds if seconds else 0.0
        _READING.pack_into(self._memory, 0, deadline)

    def is_lost(self, run_id: UUID) -> bool:
        """Say whether a run was taken away, so that no more of its entries should begin."""
        at = _LOST + self._runs[run_id] * _ID_BYTES
        return self._memory[at : at + _ID_BYTES] == run_id.bytes

    def _write_run(self, place: int, content: bytes) -> None:
        at = _RUNS + place * _ID_BYTES
        self._memory[at : at + _ID_BYTES] = content

    # Read and written by the worker.

    def look(self) -> Snapshot:
        """Return what the work-horse is doing now."""
        # Read until two copies agree, because it may be writing.
        before, now = b"", self._memory[:]
        for _ in range(_MAX_LOOKS):
            if now == before:
                break
            before, now = now, self._memory[:]
        slots = [(id_, deadline) for deadline, id_ in _SLOT.iter_unpack(now[_SLOTS:]) if id_]
        return Snapshot(
            worker=now[_WORKER : _WORKER + _NAME_BYTES].rstrip(b"\0").decode(errors="replace"),
            run_ids=tuple(run_id for run_id in _read_runs(now) if run_id is not None),
            begun=frozenset(id_ for id_, _ in slots),
            under_way=frozenset(slot for slot in slots if slot[1]),
            reading=_READING.unpack_from(now, 0)[0],
        )

    def lose(self, run_id: UUID) -> None:
        """Tell the work-horse that this run was taken away from it."""
        for place, known in enumerate(_read_runs(self._memory[:])):
            if known == run_id:
                at = _LOST + place * _ID_BYTES
                self._memory[at : at + _ID_BYTES] = run_id.bytes


def _read_runs(memory: bytes) -> list[UUID | None]:
    ids = [memory[at : at + _ID_BYTES] for at in range(_RUNS, _LOST, _ID_BYTES)]
    return [UUID(bytes=id_) if id_ != _NONE else None for id_ in ids]


#: Shared by a worker and its work-horses: created at import, before any fork.
HORSE = Activity()
