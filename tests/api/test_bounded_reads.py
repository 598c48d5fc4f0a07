"""Every read ends: what PostgreSQL stops is answered, at each address that is read."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from retry import pages
from retry.models import AuditEvent
from tests.api import walking
from tests.api.calls import Caller, problem
from tests.support.processes import child_environment

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
#: They answer from the code.
OF_NO_TABLE = {"kinds", "openapi"}


@pytest.fixture
def limited() -> Iterator[None]:
    """This session has a time limit, as those of a web process have."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '200ms'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET statement_timeout")


def test_a_read_that_is_stopped_says_so(chief: "User", limited: None) -> None:
    walking.furnish()
    caller = Caller(chief)
    names = connection.introspection.table_names()
    held = [name for name in names if name.startswith(("entries_", "retry_"))]
    reads = sorted((walking.READ | {"holds"}) - OF_NO_TABLE)
    with psycopg.connect(child_environment()["DATABASE_URL"]) as other:
        other.execute(f"LOCK TABLE {', '.join(held)} IN ACCESS EXCLUSIVE MODE")
        for name in reads:
            began = time.monotonic()
            problem(caller.get(walking.path_of(name)), 503, "query_timed_out")
            assert time.monotonic() - began < 5, name


def test_what_is_not_found_in_time_is_looked_for_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "WINDOW", 4)
    AuditEvent.objects.bulk_create(
        AuditEvent(verb=verb, actor_label="anna", channel="api")
        for verb in ("rare", *["retry"] * 6, "rare", "retry", "rare")
    )
    newest, second, oldest = AuditEvent.objects.filter(verb="rare").values_list("pk", flat=True)
    among = AuditEvent.objects.all()
    # It takes too long to look at what is older than the first window.
    slow = RawSQL("id > %s OR pg_sleep(0.2) IS NULL", [newest - 4], BooleanField())
    found = among.filter(slow, verb="rare")
    page = pages.read_within_budget(found, among=among, cursor=None, limit=1)
    assert [event.pk for event in page.items] == [newest]
    page = pages.read_within_budget(found, among=among, cursor=page.next_cursor, limit=5)
    assert [event.pk for event in page.items] == [second]
    assert page.next_cursor is not None
    rest = among.filter(verb="rare")
    page = pages.read_within_budget(rest, among=among, cursor=page.next_cursor, limit=5)
    assert ([event.pk for event in page.items], page.next_cursor) == ([oldest], None)
