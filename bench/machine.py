"""Where it was measured."""

import os
from dataclasses import dataclass
from datetime import date

from django.db import connection

from retry import queue


@dataclass(frozen=True, slots=True)
class Machine:
    """``durable``: PostgreSQL waits for the disk, and Redis keeps an append-only file."""

    day: date
    cores: int
    memory_gb: float
    postgresql: str
    redis: str
    fsync: bool
    synchronous_commit: str
    append_only: bool
    load: float

    @property
    def durable(self) -> bool:
        return self.fsync

    def words(self) -> str:
        return (
            f"Measured on {self.day:%Y-%m-%d}: {self.cores} cores, {self.memory_gb:.0f} GB, "
            f"PostgreSQL {self.postgresql} (fsync {_on(self.fsync)}, synchronous_commit "
            f"{self.synchronous_commit}), Redis {self.redis} (appendonly "
            f"{_on(self.append_only)}); other people's load when it began: {self.load:.1f}."
        )


def mode(machine: Machine) -> str:
    return "durable" if machine.durable else "temporary"


def look() -> Machine:
    found = queue.get_client().info("server")
    aof = queue.get_client().config_get("appendonly")
    assert isinstance(found, dict)
    assert isinstance(aof, dict)
    return Machine(
        day=date.today(),  # noqa: DTZ011 - a day on a report, of the machine it was made on
        cores=os.cpu_count() or 1,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        postgresql=_setting("server_version"),
        redis=str(found["redis_version"]),
        fsync=_setting("fsync") == "on",
        synchronous_commit=_setting("synchronous_commit"),
        append_only=aof["appendonly"] == "yes",
        load=os.getloadavg()[0],
    )


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


def _on(value: bool) -> str:  # noqa: FBT001 - one argument, and its name is the function
    return "on" if value else "off"
