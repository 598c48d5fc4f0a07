"""The embedded servers survive what happens to servers."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.servers import (
    private_folder,
    private_postgres,
    private_redis,
    process_exists,
    spawn,
    wait_until,
)
from tools.embedded import FolderInUseError, PostgresServer, RedisServer
from tools.embedded.postgres import DATABASE
from tools.embedded.processes import read_arguments
from tools.embedded.redis import OLDEST, find_bundled_redis, redis_version


@pytest.fixture
def home() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


def client(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def test_a_private_redis_comes_back_empty_on_the_same_url() -> None:
    with private_redis() as server:
        connection = client(server)
        connection.set("key", "value")
        server.stop()
        with pytest.raises(redis.ConnectionError):
            connection.get("key")
        server.start()
        assert connection.get("key") is None


def test_a_killed_redis_starts_over_its_own_remains() -> None:
    with private_redis() as server:
        server.kill()
        assert not server.running
        assert server.socket.exists()
        server.start()
        assert client(server).ping()


def test_a_durable_redis_keeps_its_data(home: Path) -> None:
    server = RedisServer(home / "redis")
    try:
        server.start()
        client(server).set("key", "value")
        server.restart()
        assert client(server).get("key") == "value"
    finally:
        server.stop()


def test_the_binary_in_the_wheel_works(home: Path) -> None:
    binary = find_bundled_redis()
    assert binary is not None
    assert (redis_version(binary) or (0, 0)) >= OLDEST
    server = RedisServer(home / "redis", binary=binary)
    try:
        server.start()
        assert client(server).eval("return redis.call('set', KEYS[1], 1)", 1, "key") == "OK"
        server.restart()
        assert client(server).get("key") == "1"
    finally:
        server.stop()


def test_postgres_keeps_its_data_over_stop_and_kill() -> None:
    with private_postgres() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_trgm")
            connection.execute("CREATE TABLE kept AS SELECT 'Ärger' AS word")
        server.restart()
        # Without fsync a checkpoint is what a killed process cannot take back.
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        server.kill()
        server.start()
        with psycopg.connect(server.url) as connection:
            found = connection.execute("SELECT word, show_trgm(word) FROM kept").fetchone()
    assert found is not None
    word, trigrams = found
    assert (word, len(trigrams)) == ("Ärger", 6)


def test_an_interrupted_start_is_made_good(home: Path) -> None:
    unfinished = home / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    (home / "postgres").mkdir()
    server = PostgresServer(home / "postgres", durable=False)
    try:
        server.start()
        assert server.answers()
    finally:
        server.stop()
    assert not unfinished.exists()


def test_a_pid_file_that_names_somebody_else_does_not_keep_it_from_starting() -> None:
    with private_postgres() as server:
        server.stop()
        server.pid_file.write_text(f"{os.getpid()}\n{server.folder}\n")
        server.start()
        assert server.answers()


@pytest.mark.parametrize("name", ["x" * 120, "with, comma", "Ünïcode and space"])
def test_any_path_will_do(home: Path, name: str) -> None:
    database = PostgresServer(home / name / "postgres", durable=False)
    queue = RedisServer(home / name / "redis", durable=False)
    try:
        database.start()
        queue.start()
        with psycopg.connect(database.url) as connection:
            assert connection.info.dbname == DATABASE
        assert client(queue).ping()
    finally:
        queue.stop()
        database.stop()
    for server in (database, queue):
        kept = server.folder.exists() and server.socket.parent == server.folder
        assert kept or not server.socket.parent.exists()


def test_two_folders_do_not_meet() -> None:
    with private_postgres() as one, private_postgres() as other:
        with psycopg.connect(one.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE here ()")
        with psycopg.connect(other.url) as connection:
            found = connection.execute("SELECT to_regclass('here')").fetchone()
        assert found == (None,)


def test_a_folder_has_one_owner() -> None:
    with private_redis() as owner:
        second = RedisServer(owner.folder, durable=False)
        with pytest.raises(FolderInUseError):
            second.start()
        assert second.answers()
        owner.stop()
        second.start()
        second.stop()


ABANDON = """
import os, signal, sys
from pathlib import Path
from tools.embedded import PostgresServer, RedisServer, server
server.die_with_parent = lambda number: None  # As on systems whose kernel does not help.
home = Path(sys.argv[1])
for started in PostgresServer(home / "postgres"), RedisServer(home / "redis"):
    started.start()
    print(started.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_servers_left_behind_are_taken_over(home: Path) -> None:
    with spawn(sys.executable, "-c", ABANDON, home) as abandoning:
        assert abandoning.wait() == -signal.SIGKILL
        left = [int(line) for line in abandoning.output.splitlines() if line.isdigit()]
    assert len(left) == 2
    assert all(str(home) in " ".join(read_arguments(pid)) for pid in left)
    for server in (PostgresServer(home / "postgres"), RedisServer(home / "redis")):
        try:
            server.start()
            assert server.answers()
            assert server.pid not in left
        finally:
            server.stop()
    wait_until(lambda: not any(process_exists(pid) for pid in left))
