"""Another Celery installation: a Django project in a folder of its own, with its own database, its
results in django-celery-results, and its real workers."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import psycopg
from django.db import connection
from psycopg import sql
from redis import Redis

from config.env import redis_database
from tests.support.servers import Spawned, spawn, wait_until

QUEUE = "celery"
#: Of Redis: what tests of Redrive's own do not use.
_DATABASE_OFFSET = 8
_SETTINGS = """
import os
SECRET_KEY = "shop"
USE_TZ = True
INSTALLED_APPS = ["django_celery_results"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["SHOP_DATABASE"],
    "HOST": os.environ["SHOP_HOST"],
    "PORT": os.environ["SHOP_PORT"],
    "USER": os.environ["SHOP_USER"],
    "PASSWORD": os.environ["SHOP_PASSWORD"],
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""
_TASKS = '''
import os, time
from pathlib import Path

import django
from celery import Celery
from celery.exceptions import Ignore

django.setup()
HERE = Path(__file__).parent
app = Celery("shop", broker=os.environ["SHOP_BROKER"])
app.conf.update(
    result_backend="django-db",
    result_extended=True,
    task_track_started=True,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
)

class CardDeclined(Exception):
    pass

@app.task(name="shop.charge")
def charge(number, seconds=0.0, note=""):
    """Fails while there is a file called broken; otherwise notes that it ran."""
    if (HERE / "broken").exists():
        raise CardDeclined(f"order {number} was declined")
    time.sleep(seconds)
    with (HERE / "ledger").open("a") as ledger:
        ledger.write(f"{number} {os.getpid()}\\n")
    return number

@app.task(name="shop.refund", bind=True)
def refund(self, number):
    if (HERE / "broken").exists():
        raise KeyError(number)
    with (HERE / "ledger").open("a") as ledger:
        ledger.write(f"{number} {self.request.id}\\n")
'''


class ForeignCelery:
    """``shop.charge`` fails until ``repair``; ``ledger`` counts its executions by number."""

    def __init__(self, folder: Path, *, database: str, redis_url: str) -> None:
        self.folder = folder
        self.database = database
        self.redis = Redis.from_url(redis_url)
        self.redis_number = _find_number(redis_url)
        #: Where ours sends to, and where their own processes go.
        self.broker = self.own_broker = _name_broker(redis_url)
        (folder / "shop_settings.py").write_text(_SETTINGS)
        (folder / "shop_app.py").write_text(_TASKS)
        self.breaks()

    @property
    def results(self) -> str:
        """The address of their database, for a user who may read one table."""
        return _describe(self.database, user="shop_reader", password="reads")

    @property
    def places(self) -> list[str]:
        """As ``REDRIVE_CELERY_HOSTS`` names them."""
        results, broker = urlsplit(self.results), urlsplit(self.broker)
        folder = parse_qs(results.query).get("host", [results.hostname])[0]
        return [str(folder), str(broker.hostname or broker.path)]

    @property
    def environment(self) -> dict[str, str | None]:
        given = _read_place()
        return {
            "DJANGO_SETTINGS_MODULE": "shop_settings",
            "PYTHONPATH": str(self.folder),
            "SHOP_DATABASE": self.database,
            "SHOP_BROKER": self.own_broker,
            **{f"SHOP_{name.upper()}": value for name, value in given.items()},
        }

    def empty(self) -> None:
        """As it was in the beginning."""
        self.query("DELETE FROM django_celery_results_taskresult")
        self.redis.flushdb()
        (self.folder / "ledger").unlink(missing_ok=True)
        self.breaks()

    def breaks(self) -> None:
        (self.folder / "broken").touch()

    def repair(self) -> None:
        (self.folder / "broken").unlink()

    def migrate(self) -> None:
        with self.run("-m", "django", "migrate", "-v", "0") as process:
            wait_until(lambda: not process.running, timeout=60)
            assert process.process.returncode == 0, process.output

    def run(self, *command: str) -> Spawned:
        return spawn(sys.executable, *command, cwd=self.folder, env=self.environment)

    def worker(self, *options: str) -> Spawned:
        """Celery's own worker, with threads for its tasks."""
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
        threads = ["-P", "threads", "-c", "4"]
        return self.run("-m", "celery", "-A", "shop_app", "worker", *quiet, *threads, *options)

    def send(self, number: int, *, task: str = "shop.charge", **kwargs: Any) -> str:
        """Put a task into their queue, by Celery in this process; its id."""
        from entries.foreign_celery.sender import _make_app

        app = _make_app()
        with app.amqp.Connection(self.own_broker) as broker:
            return str(app.send_task(task, (number,), kwargs, queue=QUEUE, connection=broker).id)

    def fail(self, count: int, **kwargs: Any) -> list[str]:
        """Let a real worker fail tasks; their ids, in order."""
        ids = [self.send(number, **kwargs) for number in range(count)]
        with self.worker():
            self.wait_for(ids)
        return ids

    def wait_for(self, ids: list[str], status: str = "FAILURE") -> None:
        wait_until(lambda: set(ids) <= self.find(status), timeout=60)

    def find(self, status: str) -> set[str]:
        """The ids of the tasks with a status."""
        rows = self.query(
            "SELECT task_id FROM django_celery_results_taskresult WHERE status = %s", status
        )
        return {row[0] for row in rows}

    def query(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(**_connect(self.database), autocommit=True) as connected:
            cursor = connected.execute(statement.encode(), params)
            return cursor.fetchall() if cursor.description else []

    def plant(self, id_: str, **columns: Any) -> None:
        """Put a failure into the table as it is, which may be anything."""
        usual: dict[str, Any] = {
            "status": "FAILURE",
            "task_name": "shop.charge",
            "task_args": '"(1,)"',
            "task_kwargs": '"{}"',
            "worker": "celery@shop",
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "result": '{"exc_type": "CardDeclined", "exc_message": ["no"], "exc_module": "shop"}',
            "date_created": "2026-01-02T03:04:05Z",
            "date_done": "2026-01-02T03:04:06Z",
        }
        row = {"task_id": id_} | usual | columns
        names = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        self.query(
            f"INSERT INTO django_celery_results_taskresult ({names}) VALUES ({marks})",  # noqa: S608
            *row.values(),
        )

    @property
    def waiting(self) -> int:
        """How many messages wait in their queue."""
        return int(self.redis.llen(QUEUE))

    @property
    def ledger(self) -> Mapping[int, int]:
        path = self.folder / "ledger"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(int(line.split()[0]) for line in lines)


@contextmanager
def foreign_celery(
    folder: Path,
    redis_url: str,
    *,
    suffix: str = "shop",
    build: Callable[..., ForeignCelery] = ForeignCelery,
) -> Iterator[ForeignCelery]:
    """Make the database of a shop, and drop it in the end. ``suffix``: of its name."""
    own = connection.settings_dict["NAME"]
    name = f"{own}_{suffix}"
    url = redis_database(redis_url, _find_number(redis_url) + _DATABASE_OFFSET)
    with _administering() as admin:
        _drop(admin, name)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    shop = build(folder, database=name, redis_url=url)
    try:
        shop.redis.flushdb()
        shop.migrate()
        _let_read(shop)
        yield shop
    finally:
        shop.redis.flushdb()
        shop.redis.close()
        with _administering() as admin:
            _drop(admin, name)


def _let_read(shop: ForeignCelery) -> None:
    found = shop.query("SELECT 1 FROM pg_roles WHERE rolname = 'shop_reader'")
    if not found:
        shop.query("CREATE ROLE shop_reader LOGIN PASSWORD 'reads'")
    shop.query("GRANT SELECT ON django_celery_results_taskresult TO shop_reader")


@contextmanager
def _administering() -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(**_connect("postgres"), autocommit=True) as connected:
        yield connected


def _drop(admin: "psycopg.Connection[Any]", name: str) -> None:
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _read_place() -> dict[str, str]:
    """Where the PostgreSQL of the tests is."""
    options = connection.settings_dict
    host = options["HOST"] or options["OPTIONS"].get("host", "")
    return {
        "host": str(host),
        "port": str(options["PORT"] or 5432),
        "user": str(options["USER"] or os.environ.get("USER", "")),
        "password": str(options["PASSWORD"] or ""),
    }


def _connect(database: str) -> dict[str, Any]:
    return {name: value for name, value in _read_place().items() if value} | {"dbname": database}


def _describe(database: str, *, user: str, password: str) -> str:
    place = _read_place()
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@"
    if place["host"].startswith("/"):
        return f"postgresql://{login}:{place['port']}/{database}?host={quote(place['host'])}"
    return f"postgresql://{login}{place['host']}:{place['port']}/{database}"


def _find_number(redis_url: str) -> int:
    parts = urlsplit(redis_url)
    return int(parse_qs(parts.query)["db"][0] if parts.scheme == "unix" else parts.path[1:] or 0)


def _name_broker(redis_url: str) -> str:
    """As Celery writes it."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    return f"redis+socket://{parts.path}?virtual_host={_find_number(redis_url)}"
