"""Time limits at PostgreSQL, by the role of the process.

A process that is stopped, stuck or cut off must not make the others wait. Each process therefore
gives PostgreSQL its limits when it connects, and PostgreSQL itself ends what runs over them.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Role(StrEnum):
    WEB = "web"
    DISPATCHER = "dispatcher"
    WORKER = "worker"
    #: Reads whole sources, and compares them in statements that take minutes.
    SYNC = "sync"
    #: A person at a terminal, or a deployment.
    COMMAND = "command"
    #: Takes its time, and waits for no table for long: what comes after it waits behind it.
    MIGRATION = "migration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds; 0 means no limit.

    ``idle_in_transaction``: between two statements of one transaction. After that PostgreSQL ends
    the session, which frees its locks. ``idle``: between any two statements.
    """

    connect: int
    statement: int
    lock: int
    idle_in_transaction: int
    idle: int = 0


LIMITS: Mapping[Role, Limits] = {
    Role.WEB: Limits(connect=3, statement=10, lock=3, idle_in_transaction=10),
    # It is idle for a tick at most; longer means it is frozen, and holds what others need.
    Role.DISPATCHER: Limits(connect=3, statement=30, lock=5, idle_in_transaction=5, idle=30),
    # Both are longer where a kind has a longer time limit: see retry.limits.
    Role.WORKER: Limits(connect=3, statement=60, lock=15, idle_in_transaction=60),
    Role.SYNC: Limits(connect=5, statement=0, lock=30, idle_in_transaction=60),
    Role.COMMAND: Limits(connect=5, statement=0, lock=60, idle_in_transaction=600),
    # Less than what a page waits for a lock, so that no request fails for it.
    Role.MIGRATION: Limits(connect=5, statement=0, lock=2, idle_in_transaction=600),
}

#: Roles that keep something in a session over transactions: locks, temporary tables, a LISTEN.
SESSION_ROLES = frozenset({Role.DISPATCHER, Role.SYNC, Role.COMMAND, Role.MIGRATION})

#: Notice a vanished peer after about eleven seconds instead of the system's two hours.
_TCP = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def detect_role(argv: Sequence[str] | None = None, *, default: str = "") -> Role:
    """Return this process's role: by its management command, else ``default``, else the web.

    Raises ``ValueError`` for a default that is no role.
    """
    words = list(sys.argv if argv is None else argv)
    program = Path(words[0]).name if words else ""
    if program not in {"manage.py", "django-admin"}:
        return Role(default) if default else Role.WEB
    command = words[1] if len(words) > 1 else ""
    if command == "runserver":
        return Role.WEB
    if command == "worker":
        return Role.SYNC if "sync" in words[2:] else Role.WORKER
    roles = {
        "dispatcher": Role.DISPATCHER,
        "sync": Role.SYNC,
        "migrate": Role.MIGRATION,
        "migrate_patiently": Role.MIGRATION,
    }
    return roles.get(command, Role.COMMAND)


def connection_options(
    role: Role,
    *,
    given: Mapping[str, object],
    by_server: bool,
    prepares: bool = False,
    tick_seconds: float = 1.0,
) -> dict[str, object]:
    """Build libpq's parameters for a role; what is ``given`` in the database's URL wins.

    ``by_server``: have PostgreSQL keep the limits. That needs the startup parameter ``options``,
    which a pooler may not pass on. ``prepares``: have it plan prepared statements once for all
    their parameters, not again for each; that needs ``by_server``.
    """
    limits = LIMITS[role]
    options: dict[str, object] = {"connect_timeout": limits.connect, **_TCP, **given}
    if by_server:
        idle = max(limits.idle, int(3 * tick_seconds)) if limits.idle else 0
        settings = {
            "statement_timeout": limits.statement,
            "lock_timeout": limits.lock,
            "idle_in_transaction_session_timeout": limits.idle_in_transaction,
            "idle_session_timeout": idle,
        }
        ours = " ".join(f"-c {name}={seconds}s" for name, seconds in settings.items())
        if prepares:
            ours += " -c plan_cache_mode=force_generic_plan"
        options["options"] = f"{ours} {given.get('options', '')}".strip()
    return options
