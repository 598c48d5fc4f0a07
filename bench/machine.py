"""The machine and the servers of a measurement."""

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

    def describe(self) -> str:
        return (
            f"Measured on {self.day:%Y-%m-%d}: {self.cores} cores, {self.memory_gb:.0f} GB, "
            f"PostgreSQL {self.postgresql} (fsync {_on_off(self.fsync)}, synchronous_commit "
            f"{self.synchronous_commit}), Redis {self.redis} (appendonly "
            f"{_on_off(self.append_only)}); load of other work at the start: {self.load:.1f}."
        )


def durability(machine: Machine) -> str:
    return "durable" if machine.durable else "temporary"


def inspect() -> Machine:
    found = queue.get_client().info("server")
    aof = queue.get_client().config_get("appendonly")
    assert isinstance(found, dict)
    assert isinstance(aof, dict)
    return Machine(
        day=date.today(),  # noqa: DTZ011 - the local day, for a report
        cores=os.cpu_count() or 1,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3,
        postgresql=_read_setting("server_version"),
        redis=str(found["redis_version"]),
        fsync=_read_setting("fsync") == "on",
        synchronous_commit=_read_setting("synchronous_commit"),
        append_only=aof["appendonly"] == "yes",
        load=os.getloadavg()[0],
    )


def _read_setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        return str(cursor.fetchone()[0])


def _on_off(value: bool) -> str:  # noqa: FBT001 - its only argument
    return "on" if value else "off"
