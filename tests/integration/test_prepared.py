"""The statement behind a click is prepared on the session, and no other statement is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection, transaction

from entries.database.limits import Role, connection_options
from entries.models import Entry
from entries.sql import open_prepared_cursor
from retry.models import AuditEvent, Run
from retry.outcomes import Actor, Channel
from retry.service import resync_entries, retry_entries, retry_entry
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _new_session() -> Iterator[None]:
    connection.close()
    yield
    connection.close()


def find_plans() -> list[tuple[int, int]]:
    """How often each prepared statement ran with one plan for all parameters, and with its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements")
        return [(generic, custom) for generic, custom in cursor.fetchall()]


def test_one_plan_serves_one_entry_and_many() -> None:
    entries = EntryFactory.create_batch(8, failed=True)
    for entry in entries[:3]:
        retry_entry(entry.id, actor=SCRIPT)
    retry_entries([entry.id for entry in entries[3:6]], actor=SCRIPT, reason="it's 100 % back")
    resync_entries([entry.id for entry in entries[6:]], actor=SCRIPT)
    assert find_plans() == [(5, 0)]
    assert AuditEvent.objects.filter(reason="it's 100 % back").count() == 1


def test_it_is_an_ordinary_statement_behind_a_pooler(settings: "Settings") -> None:
    settings.DATABASE_PREPARED = False
    item, _ = retry_entry(EntryFactory.create(failed=True).id, actor=SCRIPT)
    assert Run.objects.get().id == item.run_id
    assert find_plans() == []


def test_a_pooler_is_not_told_how_to_plan() -> None:
    def plans(*, by_server: bool) -> bool:
        found = connection_options(Role.WEB, given={}, by_server=by_server, prepares=True)
        return "plan_cache_mode" in str(found.get("options"))

    assert plans(by_server=True)
    assert not plans(by_server=False)


def test_the_connection_prepares_nothing_else() -> None:
    retry_entry(EntryFactory.create(failed=True).id, actor=SCRIPT)
    for _ in range(10):
        assert Entry.objects.filter(status="queued").count() == 1
    assert len(find_plans()) == 1
    assert connection.connection.prepare_threshold is None


def test_it_lives_through_a_rollback_and_a_new_column() -> None:
    first, second, third = EntryFactory.create_batch(3, failed=True)
    with transaction.atomic():
        retry_entry(first.id, actor=SCRIPT)
        transaction.set_rollback(True)
    assert not Run.objects.exists()
    retry_entry(second.id, actor=SCRIPT)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE retry_hold ADD COLUMN new_here int")
        retry_entry(third.id, actor=SCRIPT)
        cursor.execute("ALTER TABLE retry_hold DROP COLUMN new_here")
    assert Run.objects.count() == 2


def test_errors_are_djangos_and_leave_the_session_usable() -> None:
    with pytest.raises(OperationalError), open_prepared_cursor() as cursor:
        cursor.execute(
            "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(%(seconds)s)", {"seconds": 5}
        )
    assert connection.connection.prepare_threshold is None
    assert retry_entry(EntryFactory.create(failed=True).id, actor=SCRIPT)[0].queued


def test_names_stand_for_numbers_and_percent_for_itself() -> None:
    with open_prepared_cursor() as cursor:
        cursor.execute(
            "SELECT %(b)s::text, %(a)s::int, %(b)s::text || '100 %%', 7 %% 4", {"a": 2, "b": "x"}
        )
        assert cursor.fetchone() == ("x", 2, "x100 %", 3)


def test_a_command_and_a_user_act_in_one_session(operator: "User") -> None:
    """The type of the actor's id is not the same; each has a statement of its own."""
    for actor in (SCRIPT, Actor.from_user(operator, channel=Channel.API)):
        retry_entry(EntryFactory.create(failed=True).id, actor=actor)
    assert sorted(Run.objects.values_list("actor_id", flat=True), key=str) == [operator.pk, None]
