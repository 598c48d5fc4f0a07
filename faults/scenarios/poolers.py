"""PgBouncer stands between: what works through it, and what becomes of work when it is lost."""

import signal
import sys
import time
from functools import partial
from typing import Any

from django.db import connection

from entries.models import Entry
from faults import work
from faults.pooler import Pooler, find_pgbouncer
from faults.scenarios.base import Outcome, Scenario
from faults.stage import Stage, find_ports, wait_until
from faults.visitor import Visitor
from retry.models import Operation


def use_pooler(stage: Stage, *, mode: str) -> Outcome:
    """It is restarted and killed while an operation runs and people use the pages."""
    program = find_pgbouncer()
    if program is None:
        return Outcome(skipped="pgbouncer is not on this machine")
    pooler = Pooler(program, stage.postgres.url, stage.folder / "pooler", mode=mode)
    environment: dict[str, Any] = {"DATABASE_URL": pooler.url, "DATABASE_LIMITS": "false"}
    if mode == "transaction":
        environment["DATABASE_DIRECT_URL"] = stage.postgres.url
    size = 3_000 if stage.long else 600
    with connection.cursor() as cursor:  # on a busy machine this process is the slow one
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    work.make_failed("one", [{"seconds": 0.02} for _ in range(size)])
    work.make_failed("grouped", [{} for _ in range(4 * size)], prefix="group")
    work.make_failed("upstreamed", [{} for _ in range(100)], prefix="click")
    pooler.start()
    try:
        stage.start_crew(default=1, **environment)
        visitor = _open_desk(stage, environment)
        operations = [visitor.start_operation("one"), visitor.start_operation("grouped")]
        visitor.start()
        outcome = Outcome(allowed=20.0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            seen = work.count_status("succeeded")
            wait_until(lambda: work.count_status("succeeded") > seen + size // 4, seconds=90)  # noqa: B023
            pooler.stop(number)
            time.sleep(2)
            seen = work.count_status("succeeded")
            pooler.start()
            took = wait_until(partial(_has_grown, seen), seconds=60)
            outcome.recovered = max(took, outcome.recovered or 0.0)
        wait_until(lambda: _is_over(operations), seconds=240, what="the operations end")
        visitor.stop()
        wait_until(work.is_at_rest, seconds=60)
    finally:
        pooler.stop(signal.SIGKILL)
    # What was asked while it was away got 503, or no answer to a question.
    outcome.wrong += [each for each in visitor.wrong if not each.startswith("503")]
    succeeded = Entry.objects.filter(status="succeeded")
    outcome.expect(succeeded.filter(kind="grouped").count() == 4 * size, "not all succeeded")
    outcome.expect(
        succeeded.filter(pk__in=visitor.clicked).count() == len(visitor.clicked),
        "a click was answered and not done",
    )
    outcome.expect(bool(visitor.clicked and visitor.pushed), "there was no click, or no push")
    failed = set(Entry.objects.filter(status="failed").values_list("kind", "error_class"))
    outcome.expect(failed <= {("upstreamed", "RuntimeError")}, f"failed: {failed}")
    return outcome


def _open_desk(stage: Stage, environment: dict[str, Any]) -> Visitor:
    """Start a web server and return a visitor of it, who has not come yet."""
    from django.contrib.auth import get_user_model

    from retry import service
    from retry.access.tokens import Terms

    chief = get_user_model().objects.create_superuser("chief", "", "chief")
    token = service.create_token(chief, name="faults", actor=work.PERSON, terms=Terms())
    bind = f"127.0.0.1:{find_ports(1)[0]}"
    web = stage.run(
        *(sys.executable, "-m", "gunicorn", "--config", "config/gunicorn.py"),
        "config.wsgi:application",
        environment=environment | {"WEB_BIND": bind, "WEB_PROCESSES": "1", "DEBUG": "true"},
    )
    web.wait_for("Listening at")
    return Visitor("web", bind, str(token), first=1)


def _has_grown(seen: int) -> bool:
    return work.count_status("succeeded") > seen


def _is_over(operations: list[str]) -> bool:
    states = Operation.objects.filter(pk__in=operations).values_list("state", flat=True)
    return set(states) == {"completed"}


SCENARIOS = (
    Scenario(
        "pooler",
        "PgBouncer, in transaction mode, is restarted and killed",
        partial(use_pooler, mode="transaction"),
    ),
    Scenario(
        "pooler_session",
        "PgBouncer, in session mode, is restarted and killed",
        partial(use_pooler, mode="session"),
    ),
)
