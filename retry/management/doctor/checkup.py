"""All checks, one after the other; one that cannot be done is a diagnosis itself."""

from collections.abc import Callable, Iterator

from django.db import DatabaseError

from retry import status, store_facts
from retry.errors import QueueUnavailable
from retry.management.doctor import desk, process
from retry.management.doctor.diagnosis import Diagnosis, fail
from retry.management.doctor.postgresql import judge_postgresql
from retry.management.doctor.redis import judge_redis


def examine() -> Iterator[Diagnosis]:
    """Check everything. Never raises."""
    yield from _attempt("versions", process.judge_versions)
    yield from _attempt("postgresql", _examine_postgresql)
    yield from _attempt("redis", lambda: judge_redis(store_facts.read_redis()))
    yield from _attempt("migrations", desk.judge_migrations)
    yield from _attempt("processes", lambda: desk.judge_processes(status.read(counting=False)))
    yield from _attempt("limits", process.judge_limits)
    yield from _attempt("settings", process.judge_settings)
    yield from _attempt("static_files", process.judge_static_files)
    yield from _attempt("uploads", process.judge_uploads)
    yield from _attempt("notices", desk.judge_notices)
    yield from _attempt("secrets", desk.judge_secrets)


def _examine_postgresql() -> Iterator[Diagnosis]:
    facts = store_facts.read_postgresql()
    try:
        workers = status.read(counting=False).living_workers
    except DatabaseError:  # there are no tables yet
        workers = 0
    yield from judge_postgresql(facts, workers=workers)


def _attempt(check: str, judge: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    try:
        yield from judge()
    except QueueUnavailable as error:
        cause = f": {_shorten(error.__cause__)}" if error.__cause__ else ""
        yield fail(check, f"{error}{cause}", "Start Redis, or correct REDIS_URL.")
    except DatabaseError as error:
        text = f"PostgreSQL did not answer this: {_shorten(error)}"
        yield fail(check, text, "Start PostgreSQL, correct DATABASE_URL, or run manage.py migrate.")
    except Exception as error:  # noqa: BLE001 - what cannot be checked is said like the rest
        text = f"It could not be checked: {type(error).__name__}: {_shorten(error)}"
        yield fail(check, text, "Report this with the output of `manage.py doctor --json`.")


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
