"""``manage.py doctor``: it finds what is wrong, says what to do, and changes nothing."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from entries.models import Endpoint
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.management.doctor import process
from retry.management.doctor.diagnosis import Diagnosis, Level, judge_clock
from retry.management.doctor.postgresql import judge_postgresql
from retry.management.doctor.redis import judge_redis
from retry.models import WorkerHeartbeat
from retry.store_facts import PostgresFacts, RedisFacts, read_postgresql, read_redis
from tests.factories.entries import EndpointFactory
from tests.support.processes import redis_at
from tests.support.servers import private_redis

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def examine() -> tuple[bool, dict[str, Diagnosis]]:
    """Whether all is well, and the diagnoses by their check."""
    out = StringIO()
    code = 0
    try:
        call_command("doctor", "--json", stdout=out)
    except CommandError as error:
        code = error.returncode
    answer = json.loads(out.getvalue())
    assert (answer["ok"], code) in {(True, 0), (False, 1)}
    passed = code == 0
    found = [Diagnosis(**{**each, "level": Level(each["level"])}) for each in answer["diagnoses"]]
    assert all(bool(each.advice) == (each.level is not Level.OK) for each in found)
    return passed, {each.check: each for each in found}


@contextmanager
def crew() -> Iterator[None]:
    """A dispatcher, and a worker for each queue, as their rows tell."""
    Dispatcher().tick()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO retry_workerheartbeat"
            " (id, name, queue, host, pid, started_at, beat_at, state, job_id)"
            " SELECT gen_random_uuid(), q, q, 'h', 1, now(), now(), 'idle', ''"
            " FROM unnest(ARRAY['default', 'bulk', 'sync']) AS q"
        )
    yield


@pytest.fixture
def healthy(settings: "Settings", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of production; what limits this process is left to the tests of it."""
    settings.SECRET_KEY = "pW7!kD2#xQ9$mZ4%nB6&vC8*jL3(hG5)fT1-" * 2
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["desk.example.com"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 3600
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.REDRIVE_UPLOAD_DIR = tmp_path / "uploads"


def test_of_a_healthy_deployment_nothing_is_said_but_that(healthy: None) -> None:
    with crew():
        _, found = examine()
    problems = {name: each for name, each in found.items() if each.level is Level.PROBLEM}
    assert problems.keys() <= {"limits.files"}
    assert found["postgresql.version"].text.startswith("PostgreSQL ")
    assert found["migrations"].level is found["dispatcher"].level is Level.OK
    assert found["workers.default"].level is found["redis.memory"].level is Level.OK


def test_what_does_not_run_is_named(healthy: None) -> None:
    WorkerHeartbeat.objects.create(
        name="mailer", queue="bulk", host="h", pid=17, state="idle",
        started_at="2026-01-01T00:00Z", beat_at="2026-01-01T00:00Z",
    )  # fmt: skip
    passed, found = examine()
    assert not passed
    assert found["dispatcher"].text == "No dispatcher has ever run."
    assert found["workers.bulk"].advice == "Start one: manage.py worker bulk."
    assert "mailer on h (process 17)" in found["workers.silent"].text


def test_without_redis_the_rest_is_checked(healthy: None) -> None:
    with redis_at("unix:///nowhere/redis.sock"):
        passed, found = examine()
    assert not passed
    assert found["redis"].advice == "Start Redis, or correct REDIS_URL."
    assert found["postgresql.version"].level is Level.OK


def test_what_redis_refuses_is_said_in_its_words(healthy: None) -> None:
    """The name of an error alone does not tell a server in protected mode from one that is full."""
    with private_redis() as server, redis_at(server.url):
        queue.get_client().acl_setuser("default", enabled=True, commands=["-info"])
        _, found = examine()
    assert "no permissions to run the 'info' command" in found["redis"].text


def test_a_role_that_may_only_read_is_found(healthy: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    try:
        _, found = examine()
    finally:
        connections.close_all()
    assert found["postgresql.role"].text == "Sessions of this role are read-only."


def test_it_is_said_in_words_as_well(healthy: None) -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="problem"):
        call_command("doctor", stdout=out)
    assert "problem  No dispatcher has ever run.\n         Start one: manage.py dispatcher.\n" in (
        out.getvalue()
    )


def test_secrets_that_are_stored_as_text_are_found(healthy: None) -> None:
    chat, _mail = EndpointFactory.create(slug="chat"), EndpointFactory.create(slug="other")
    _, found = examine()
    assert found["secrets"].level is Level.OK
    store_as_text(chat)
    _, found = examine()
    assert found["secrets"].level is Level.PROBLEM
    assert found["secrets"].text.endswith("plain text: chat.")
    assert "manage.py encrypt_secrets" in found["secrets"].advice
    call_command("encrypt_secrets", stdout=StringIO())
    _, found = examine()
    assert found["secrets"].level is Level.OK


def store_as_text(endpoint: Endpoint) -> None:
    """As versions before encryption did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE entries_endpoint SET previous_secret = 'whsec_old' WHERE id = %s",
            [endpoint.pk],
        )


# --- each judgement -------------------------------------------------------------------------------


def judge(facts: PostgresFacts, *, workers: int = 3) -> Mapping[str, Diagnosis]:
    return {each.check: each for each in judge_postgresql(facts, workers=workers)}


@pytest.mark.parametrize(
    ("changed", "check", "level"),
    [
        ({"version": 140_011}, "version", Level.PROBLEM),
        ({"version": 170_004}, "version", Level.OK),
        ({"encoding": "SQL_ASCII"}, "encoding", Level.PROBLEM),
        ({"in_recovery": True}, "role", Level.PROBLEM),
        ({"locked_tables": ["retry_run"]}, "role", Level.PROBLEM),
        ({"may_create_temporary": False}, "role", Level.PROBLEM),
        ({"superuser": True}, "role", Level.WARNING),
        ({"superuser": False, "may_create_tables": False}, "role", Level.WARNING),
        ({"superuser": False}, "role", Level.OK),
        ({"usable": 20, "used": 5}, "connections", Level.WARNING),
        ({"usable": 100, "used": 95}, "connections", Level.PROBLEM),
        ({"usable": 100, "used": 5}, "connections", Level.OK),
        ({"knows_zone": False}, "zone", Level.PROBLEM),
        ({"clock_seconds": -90.0}, "clock", Level.PROBLEM),
        ({}, "pooler", Level.OK),
        ({"pooled": True}, "pooler", Level.OK),
        ({"pooled": True, "shared": True}, "pooler", Level.PROBLEM),
    ],
)
def test_postgresql(changed: dict[str, Any], check: str, level: Level) -> None:
    facts = replace(read_postgresql(), **changed)
    assert judge(facts)[f"postgresql.{check}"].level is level


@pytest.mark.parametrize(
    ("changed", "check", "level"),
    [
        ({"product": "Redis", "version": "6.0.16"}, "version", Level.PROBLEM),
        ({"version": "6.2.14"}, "version", Level.OK),
        ({"product": "Valkey", "version": "8.0.1"}, "version", Level.OK),
        ({"policy": "allkeys-lru"}, "memory", Level.WARNING),
        ({"policy": "allkeys-lru", "max_bytes": 1_000, "evicted": 7}, "memory", Level.PROBLEM),
        ({"replica": True}, "writes", Level.PROBLEM),
        ({"save_failed": True}, "writes", Level.PROBLEM),
        ({"saves": True}, "writes", Level.OK),
        ({"clients": 99, "max_clients": 100}, "clients", Level.PROBLEM),
        ({"clock_seconds": 3.0}, "clock", Level.WARNING),
        ({"sentinels": {"one": True, "two": True, "three": True}}, "sentinels", Level.OK),
        (
            {"sentinels": {"one": True, "two": False, "three": True}},
            "sentinels",
            Level.WARNING,
        ),
        ({"sentinels": {"one": True}}, "sentinels", Level.WARNING),
    ],
)
def test_redis(changed: dict[str, Any], check: str, level: Level) -> None:
    facts = replace(read_redis(), **changed)
    assert {each.check: each for each in judge_redis(facts)}[f"redis.{check}"].level is level


def test_here_nothing_stands_between() -> None:
    facts = read_postgresql()
    assert not facts.pooled
    assert not facts.shared
    assert read_redis().sentinels == {}


def test_valkey_is_told_from_redis() -> None:
    info = {"server_name": "valkey", "valkey_version": "8.0.1", "redis_version": "7.2.4"}
    facts = RedisFacts.from_info(info, clock_seconds=0.0)
    assert (facts.product, facts.version) == ("Valkey", "8.0.1")


def test_clocks_of_one_machine_agree() -> None:
    assert judge_clock("c", "PostgreSQL", read_postgresql().clock_seconds).level is Level.OK
    assert judge_clock("c", "Redis", read_redis().clock_seconds).level is Level.OK


def test_secrets_hosts_and_debug_are_problems(settings: "Settings") -> None:
    settings.SECRET_KEY = "short"
    settings.REDRIVE_METRICS_TOKEN = "short"
    settings.ALLOWED_HOSTS = []
    found = {each.check: each for each in process.judge_settings()}
    for check in ("settings.security.W009", "settings.security.W020", "settings.metrics_token"):
        assert found[check].level is Level.PROBLEM


def test_limits_files_and_folders(settings: "Settings", tmp_path: Path) -> None:
    assert [each.level for each in process.judge_limits(256)] == [Level.PROBLEM]
    assert [each.level for each in process.judge_limits(65_536)] == [Level.OK]
    assert [each.level for each in process.judge_limits(-1)] == [Level.OK]
    settings.REDRIVE_UPLOAD_DIR = tmp_path / "a" / "b"
    assert [each.check for each in process.judge_uploads()] == ["uploads"]
    settings.STATIC_ROOT = tmp_path
    hashed = "whitenoise.storage.CompressedManifestStaticFilesStorage"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": hashed}}
    assert [each.level for each in process.judge_static_files()] == [Level.PROBLEM]
    (tmp_path / "staticfiles.json").write_text('{"version": "1.1", "paths": {"a.js": "a.1.js"}}')
    settings.STORAGES = {**settings.STORAGES}
    assert [each.level for each in process.judge_static_files()] == [Level.OK]
