"""Which limits a process has at PostgreSQL."""

from typing import Any

import pytest
from django.db import connection, transaction

from entries.database.limits import LIMITS, Role, connection_options, detect_role
from entries.kinds import registry
from retry.limits import allow_statement, extend_limits_for_kinds


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("/usr/bin/gunicorn config.wsgi:application", Role.WEB),
        ("manage.py runserver", Role.WEB),
        ("/srv/manage.py dispatcher --once", Role.DISPATCHER),
        ("manage.py worker default --name sync-1", Role.WORKER),
        ("manage.py worker bulk --burst", Role.WORKER),
        ("manage.py worker --burst sync", Role.SYNC),
        ("manage.py sync news", Role.SYNC),
        ("manage.py migrate", Role.MIGRATION),
        ("manage.py retry --all", Role.COMMAND),
        ("manage.py", Role.COMMAND),
        ("django-admin dispatcher", Role.DISPATCHER),
        ("", Role.WEB),
    ],
)
def test_the_command_says_what_a_process_is_for(words: str, role: Role) -> None:
    assert detect_role(words.split()) is role


def test_others_may_say_so_themselves() -> None:
    assert detect_role(["script.py"], default="command") is Role.COMMAND
    assert detect_role(["manage.py", "dispatcher"], default="command") is Role.DISPATCHER
    with pytest.raises(ValueError, match="webb"):
        detect_role(["script.py"], default="webb")


def test_what_the_address_of_the_database_says_wins() -> None:
    given = {"options": "-c statement_timeout=20s", "connect_timeout": 9, "sslmode": "require"}
    found = connection_options(Role.WEB, given=given, by_server=True)
    assert (found["connect_timeout"], found["sslmode"]) == (9, "require")
    words = str(found["options"])
    assert words.endswith("-c statement_timeout=20s"), "PostgreSQL takes the last one"
    assert "-c lock_timeout=3s" in words


def test_a_pooler_is_not_told() -> None:
    found = connection_options(Role.WEB, given={}, by_server=False)
    assert "options" not in found
    assert found["keepalives"] == 1


def test_a_dispatcher_with_a_slow_tick_is_not_taken_for_a_stopped_one() -> None:
    found = connection_options(Role.DISPATCHER, given={}, by_server=True, tick_seconds=60)
    assert "-c idle_session_timeout=180s" in str(found["options"])


def test_every_role_gives_up_somewhere() -> None:
    assert set(LIMITS) == set(Role)
    assert all(each.connect and each.lock and each.idle_in_transaction for each in LIMITS.values())


def shown(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return str(cursor.fetchone()[0])


def tell(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "within"), [("10s", "1min"), ("2min", "2min"), ("0", "0"), ("1min", "1min")]
)
def test_more_time_for_a_statement_is_for_one_transaction_and_never_less(
    before: str, within: str
) -> None:
    tell("statement_timeout", before)
    try:
        with transaction.atomic():
            allow_statement(60)
            assert shown("statement_timeout") == within
        assert shown("statement_timeout") == before
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_worker_leaves_its_kinds_their_time(settings: Any) -> None:
    longest = max(kind.time_limit for kind in registry.all_kinds().values())
    try:
        extend_limits_for_kinds(connection=connection)
        assert shown("idle_in_transaction_session_timeout") == "10min", "this is no worker"
        settings.REDRIVE_ROLE = Role.WORKER
        connection.close()
        assert shown("idle_in_transaction_session_timeout") == f"{longest + 30:.0f}s"
        assert shown("statement_timeout") == f"{longest + 30:.0f}s"
    finally:
        connection.close()
