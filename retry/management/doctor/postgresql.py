"""Judges PostgreSQL: its version, its clock, what the role may do, and how many may connect."""

from collections.abc import Iterator

from django.conf import settings

from retry.management.doctor.diagnosis import Diagnosis, fail, judge_clock, ok, warn
from retry.store_facts import PostgresFacts

_OLDEST = 15
#: Of the connections that there are.
_FULL = 0.9


def judge_postgresql(facts: PostgresFacts, *, workers: int) -> Iterator[Diagnosis]:
    """``workers``: how many are alive."""
    yield _judge_version(facts)
    yield judge_clock("postgresql.clock", "PostgreSQL", facts.clock_seconds)
    if facts.encoding != "UTF8":
        advice = "Create the database with ENCODING 'UTF8', and move the data there."
        yield fail("postgresql.encoding", f"The database is encoded in {facts.encoding}.", advice)
    yield from _judge_role(facts)
    yield _judge_pooler(facts)
    yield _judge_connections(facts, workers=workers)
    if not facts.knows_zone:
        yield fail(
            "postgresql.zone",
            f"PostgreSQL does not know the time zone {settings.TIME_ZONE}.",
            "Set TIME_ZONE to a name of pg_timezone_names, such as Europe/Berlin.",
        )


def _judge_version(facts: PostgresFacts) -> Diagnosis:
    major, minor = divmod(facts.version, 10_000)
    text = f"PostgreSQL {major}.{minor}."
    if major < _OLDEST:
        return fail("postgresql.version", text, f"Upgrade to PostgreSQL {_OLDEST} or newer.")
    return ok("postgresql.version", text)


def _judge_role(facts: PostgresFacts) -> Iterator[Diagnosis]:
    check = "postgresql.role"
    if facts.in_recovery:
        yield fail(
            check,
            "The server is a standby, which accepts no writes.",
            "Point DATABASE_URL at the primary, or promote this server.",
        )
    elif facts.read_only:
        yield fail(
            check,
            "Sessions of this role are read-only.",
            "ALTER ROLE … RESET default_transaction_read_only; the same for the database.",
        )
    elif facts.locked_tables:
        yield fail(
            check,
            f"The role may not read and write {', '.join(facts.locked_tables[:5])}.",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO the role.",
        )
    elif not facts.may_create_temporary:
        yield fail(
            check,
            "The role may not create temporary tables, which syncs and imports need.",
            "GRANT TEMPORARY ON DATABASE … TO the role.",
        )
    elif facts.superuser:
        yield warn(
            check,
            "The role is a superuser, and limits for others do not hold for it.",
            "Give Redrive a role of its own that owns its database and nothing else.",
        )
    elif not facts.may_create_tables:
        yield warn(
            check,
            "The role may not create tables.",
            "Run migrate with a role that may. Everything else works.",
        )
    else:
        yield ok(check, "The role may do what is needed.")


def _judge_pooler(facts: PostgresFacts) -> Diagnosis:
    check = "postgresql.pooler"
    if facts.shared:
        return fail(
            check,
            "A pooler gives this session to others between two transactions.",
            "The dispatcher, syncs and imports keep locks in theirs: set DATABASE_DIRECT_URL to "
            "the address of PostgreSQL itself, or of a pooler in session mode.",
        )
    if facts.pooled:
        return ok(check, "A pooler stands between, and leaves each process its session.")
    return ok(check, "The dispatcher, syncs and commands reach PostgreSQL itself.")


def _judge_connections(facts: PostgresFacts, *, workers: int) -> Diagnosis:
    check = "postgresql.connections"
    web = settings.REDRIVE_WEB_CONNECTIONS
    # Of each worker one for itself, one for its work-horse, and what its entries share; and two
    # dispatchers.
    most = web + workers * (2 + settings.REDRIVE_KIND_CONNECTIONS) + 2
    text = (
        f"{facts.used} of {facts.usable} connections are open; one web server and {workers} "
        f"workers take {most} at most."
    )
    advice = (
        "Raise max_connections, or lower WEB_PROCESSES, DATABASE_POOL_SIZE, "
        "REDRIVE_KIND_CONNECTIONS or the number of workers; or use a pooler."
    )
    if facts.used >= _FULL * facts.usable:
        return fail(check, text, advice)
    return warn(check, text, advice) if most > facts.usable else ok(check, text)
