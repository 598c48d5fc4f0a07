"""What a work-horse is at, in memory that its worker shares.

The work-horse writes and its worker reads, from outside: a work-horse that hangs in a C library,
holds the interpreter or was killed cannot be asked any more.
"""

import mmap
import time
from dataclasses import dataclass
from struct import Struct
from uuid import UUID

#: Until when, which entry, how far the group has begun.
_NOW = Struct("dqq")
_RUN, _LOST, _WORKER = 64, 128, 192
_ID_BYTES, _NAME_BYTES = 16, 200
_NONE = bytes(_ID_BYTES)


@dataclass(frozen=True, slots=True)
class Seen:
    """``worker`` names the execution, empty where there is none. ``until``: when what it does must
    be over, by ``time.monotonic``, which is one clock for all processes; 0 where it waits for
    PostgreSQL. ``begun_to``: of the entries it has claimed and not written down, those up to this
    id have begun.
    """

    worker: str
    run_id: UUID | None
    entry_id: int
    begun_to: int
    until: float


class Activity:
    """Made before the fork, by the process that looks. Writing costs less than a microsecond."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._run = _NONE
        self._begun_to = 0

    def clear(self) -> None:
        """Before the fork: nothing is known of the next one yet."""
        self._memory[:] = bytes(mmap.PAGESIZE)

    # What the work-horse says.

    def start(self, worker: str) -> None:
        self.clear()
        name = worker.encode()[:_NAME_BYTES]
        self._memory[_WORKER : _WORKER + len(name)] = name

    def end(self) -> None:
        """Nothing is left to be settled, should the process die now."""
        self.clear()

    def hold(self, run_id: UUID) -> None:
        """It has claimed a run, and begun none of it."""
        self.claim()
        self._run = run_id.bytes
        self._memory[_RUN : _RUN + _ID_BYTES] = self._run

    def claim(self) -> None:
        """It claims entries, and has begun none of them."""
        self._begun_to = 0
        self.wait()

    def begin(self, entry_id: int, *, seconds: float) -> None:
        self._begun_to = entry_id
        _NOW.pack_into(self._memory, 0, time.monotonic() + seconds, entry_id, entry_id)

    def read(self, *, seconds: float) -> None:
        """It reads a source."""
        _NOW.pack_into(self._memory, 0, time.monotonic() + seconds, 0, 0)

    def wait(self) -> None:
        """It writes to PostgreSQL, for as long as that takes."""
        _NOW.pack_into(self._memory, 0, 0.0, 0, self._begun_to)

    @property
    def lost(self) -> bool:
        """Its run was taken away: it should begin nothing more of it."""
        return self._memory[_LOST : _LOST + _ID_BYTES] == self._run

    # What the worker sees and says.

    def look(self) -> Seen:
        """Read twice until both agree, because the work-horse may be writing."""
        before, now = None, self._memory[:]
        while now != before:
            before, now = now, self._memory[:]
        until, entry_id, begun_to = _NOW.unpack_from(now, 0)
        run = now[_RUN : _RUN + _ID_BYTES]
        return Seen(
            worker=now[_WORKER : _WORKER + _NAME_BYTES].rstrip(b"\0").decode(errors="replace"),
            run_id=UUID(bytes=run) if run != _NONE else None,
            entry_id=entry_id,
            begun_to=begun_to,
            until=until,
        )

    def lose(self, run_id: UUID) -> None:
        self._memory[_LOST : _LOST + _ID_BYTES] = run_id.bytes


#: Of this process's work-horse, or of this work-horse: made before any fork, so both have it.
HORSE = Activity()
