"""What a work-horse is doing, in memory that it shares with its worker.

The work-horse writes and its worker reads. A work-horse that hangs in a C library, holds the
interpreter lock or was killed could not answer a question.
"""

import mmap
import time
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

#: Deadline, entry id, id up to which the group has begun.
_NOW = Struct("dqq")
_RUN, _LOST, _WORKER = 64, 128, 192
_ID_BYTES, _NAME_BYTES = 16, 200
_NONE = bytes(_ID_BYTES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the work-horse was doing at one moment.

    ``worker`` is the name of the execution, empty where there is none. ``deadline``: when the
    current step must be over, by ``time.monotonic``, which is one clock for all processes; 0 while
    it waits for PostgreSQL. ``begun_to``: of the entries that it has claimed and not yet recorded,
    those with ids up to this one have begun.
    """

    worker: str
    run_id: UUID | None
    entry_id: int
    begun_to: int
    deadline: float


class Activity:
    """The shared memory. Create it in the worker, before the fork.

    A write takes less than a microsecond.
    """

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._run = _NONE
        self._begun_to = 0

    def clear(self) -> None:
        """Forget everything: nothing is left to settle, should the process die now."""
        self._memory[:] = bytes(mmap.PAGESIZE)

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
        """Note that a run was claimed and none of its entries has begun."""
        self.claim()
        self._run = run_id.bytes
        self._memory[_RUN : _RUN + _ID_BYTES] = self._run

    def claim(self) -> None:
        """Note that entries are being claimed and none of them has begun."""
        self._begun_to = 0
        self.wait()

    def begin(self, entry_id: int, *, seconds: float) -> None:
        """Note that an entry begins, with ``seconds`` as its time limit."""
        self._begun_to = entry_id
        _NOW.pack_into(self._memory, 0, time.monotonic() + seconds, entry_id, entry_id)

    def read(self, *, seconds: float) -> None:
        """Note that a source is being read, which may take ``seconds``."""
        _NOW.pack_into(self._memory, 0, time.monotonic() + seconds, 0, 0)

    def wait(self) -> None:
        """Note that it writes to PostgreSQL, which may take any time."""
        _NOW.pack_into(self._memory, 0, 0.0, 0, self._begun_to)

    @property
    def lost(self) -> bool:
        """Whether the run was taken away, so that no more of its entries should begin."""
        return self._memory[_LOST : _LOST + _ID_BYTES] == self._run

    # Read and written by the worker.

    def look(self) -> Snapshot:
        """Return what the work-horse is doing now."""
        # Read until two copies agree, because it may be writing.
        before, now = None, self._memory[:]
        while now != before:
            before, now = now, self._memory[:]
        deadline, entry_id, begun_to = _NOW.unpack_from(now, 0)
        run = now[_RUN : _RUN + _ID_BYTES]
        return Snapshot(
            worker=now[_WORKER : _WORKER + _NAME_BYTES].rstrip(b"\0").decode(errors="replace"),
            run_id=UUID(bytes=run) if run != _NONE else None,
            entry_id=entry_id,
            begun_to=begun_to,
            deadline=deadline,
        )

    def lose(self, run_id: UUID) -> None:
        """Tell the work-horse that this run was taken away from it."""
        self._memory[_LOST : _LOST + _ID_BYTES] = run_id.bytes


#: Shared by a worker and its work-horses: created at import, before any fork.
HORSE = Activity()
