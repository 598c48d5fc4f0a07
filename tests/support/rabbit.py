"""A RabbitMQ of the tests' own, where it is installed; used as the broker of another Celery."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.certificates import create_certificate
from tests.support.foreign_celery import QUEUE, ForeignCelery
from tests.support.servers import private_folder, spawn, wait_until

MISSING = "RabbitMQ is not installed: Debian's package rabbitmq-server has it"
VHOST, PASSWORD = "shop", "secret"
#: Name -> its rights in the virtual host: to configure, to write and to read.
_USERS = {
    "shop": (".*", ".*", ".*"),
    "sender": ("", r"^amq\.default$", ""),
    "reader": ("", "", ".*"),
}
T = TypeVar("T")


def find_rabbit() -> Path | None:
    """Return the folder with its commands. Debian's others want to be called by root."""
    given = shutil.which("rabbitmq-server")
    known = [Path("/usr/lib/rabbitmq/bin"), *([Path(given).parent] if given else [])]
    found = (folder for folder in known if (folder / "rabbitmq-server").exists())
    return next(found, None) if shutil.which("epmd") else None


def needs_rabbit() -> list[pytest.MarkDecorator]:
    """Marks of tests with a RabbitMQ, which then run in one test process."""
    missing = pytest.mark.skipif(find_rabbit() is None, reason=MISSING)
    return [missing, pytest.mark.xdist_group("rabbit")]


class RabbitServer:
    """A RabbitMQ with one virtual host, and three users."""

    def __init__(self, folder: Path, commands: Path) -> None:
        self.folder = folder
        self.certificate, key = create_certificate(folder, name="localhost")
        self.port, self.tls_port, self._names_port, inner_port = _find_ports(4)
        self._commands = commands
        self._write_configuration(key)
        self._environment = {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_NODENAME": "redrive-test@localhost",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_DIST_PORT": str(inner_port),
            # Without a shell in between that would outlive it.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }

    @contextmanager
    def run(self) -> Iterator[None]:
        names = spawn("epmd", "-port", str(self._names_port), "-address", "127.0.0.1")
        server = self._commands / "rabbitmq-server"
        with names, spawn(server, cwd=self.folder, env=self._environment) as process:
            try:
                wait_until(self._answers, timeout=120)
            except AssertionError as error:
                raise AssertionError(f"RabbitMQ did not start:\n{process.output}") from error
            yield

    def url(self, user: str = "shop", *, vhost: str = VHOST, password: str = PASSWORD) -> str:
        return f"amqp://{user}:{password}@127.0.0.1:{self.port}/{vhost}"

    def control(self, *words: str) -> None:
        """Call ``rabbitmqctl``, which takes seconds."""
        command = self._commands / "rabbitmqctl"
        with spawn(command, *words, env=self._environment, cwd=self.folder) as process:
            assert process.wait(60) == 0, process.output

    def ask(self, do: Callable[[Any], T]) -> T:
        """Do something with a channel of the user ``shop``."""
        from amqp import Connection

        login: dict[str, Any] = {"userid": "shop", "password": PASSWORD, "virtual_host": VHOST}
        connection = Connection(f"127.0.0.1:{self.port}", connect_timeout=5, **login)
        with closing(connection):
            connection.connect()
            return do(connection.channel())

    def declare(self, queue: str, **arguments: Any) -> None:
        self.ask(
            lambda channel: channel.queue_declare(
                queue, durable=True, auto_delete=False, arguments=arguments
            )
        )

    def delete(self, queue: str) -> None:
        self.ask(lambda channel: channel.queue_delete(queue))

    def count(self, queue: str) -> int:
        return self.ask(lambda channel: int(channel.queue_declare(queue, passive=True)[1]))

    def take(self, queue: str) -> Any:
        """Return a message and take it away."""
        return self.ask(lambda channel: channel.basic_get(queue, no_ack=True))

    def _answers(self) -> bool:
        with suppress(OSError):
            self.ask(bool)
            return True
        return False

    def _write_configuration(self, key: Path) -> None:
        definitions = {
            "users": [{"name": name, "password": PASSWORD, "tags": ""} for name in _USERS],
            "vhosts": [{"name": VHOST}],
            "permissions": [
                {"user": name, "vhost": VHOST, "configure": may, "write": write, "read": read}
                for name, (may, write, read) in _USERS.items()
            ],
        }
        lines = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.certfile": self.certificate,
            "ssl_options.keyfile": key,
            "load_definitions": self.folder / "definitions.json",
        }
        (self.folder / "plugins").write_text("[].")
        (self.folder / "definitions.json").write_text(json.dumps(definitions))
        (self.folder / "rabbitmq.conf").write_text(
            "".join(f"{name} = {value}\n" for name, value in lines.items())
        )


class RabbitCelery(ForeignCelery):
    """The shop with a RabbitMQ. Ours sends as a user who may do nothing else."""

    def __init__(self, *args: Any, rabbit: RabbitServer, **more: Any) -> None:
        super().__init__(*args, **more)
        self.rabbit = rabbit
        self.broker, self.own_broker = rabbit.url("sender"), rabbit.url()
        rabbit.declare(QUEUE)

    def empty(self) -> None:
        super().empty()
        self.rabbit.ask(lambda channel: channel.queue_purge(QUEUE))

    @property
    def waiting(self) -> int:
        return self.rabbit.count(QUEUE)


@contextmanager
def rabbit_server() -> Iterator[RabbitServer]:
    commands = find_rabbit()
    assert commands is not None, MISSING
    with private_folder() as folder:
        server = RabbitServer(folder, commands)
        with server.run():
            yield server


def _find_ports(count: int) -> list[int]:
    with ExitStack() as held:
        found = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in found]
