"""The steps before the demo's processes start, and those after."""

import http.client
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, LiteralString

import psycopg
from rich.console import Console

from tools.demo import documents
from tools.demo.behaviour import Behaviour, behaviour
from tools.demo.options import HOST, ROOT, USER, DemoError, Options, write_private
from tools.demo.stage import PART

#: Seconds; a busy machine needs a minute to start six processes.
READY_WITHIN = 180.0


class Steps:
    """Runs manage.py commands one after the other and prints a line for each."""

    def __init__(self, options: Options, env: Mapping[str, str], console: Console) -> None:
        self._options = options
        self._env = env
        self._console = console

    def prepare(self) -> None:
        """Prepare database, account, static files and source; safe to repeat."""
        self._options.logs.mkdir(parents=True, exist_ok=True)
        self._step("Migrating the database", "migrate", "--noinput")
        self._step(
            f"Creating the account {USER}",
            "createsuperuser",
            "--noinput",
            env={
                "DJANGO_SUPERUSER_USERNAME": USER,
                "DJANGO_SUPERUSER_PASSWORD": USER,
                "DJANGO_SUPERUSER_EMAIL": f"{USER}@example.com",
            },
            tolerate="already taken",
        )
        self._step("Collecting the static files", "collectstatic", "--noinput")
        feed = f"{self._options.upstream}/feed.atom"
        self._step(
            "Adding the source demo",
            *("add_source", "demo", "--kind", "feed", "--location", feed),
            *("--entry-kind", "page", "--if-missing"),
        )

        self._subscribe()

    def _subscribe(self) -> None:
        """Send notices to the mailbox, by mail and as a chat gets them."""
        hooks = f"{self._options.mailbox}/hooks"
        self._step(
            "Adding the endpoint chat", "add_endpoint", "chat", "--url", hooks, "--if-missing"
        )
        subscribe = ("subscribe", "all", "--if-missing")
        own = ("--user", USER, "--everyones", "--mail", f"{USER}@example.com")
        self._step(f"Subscribing {USER} to notices", *subscribe, *own)
        self._step("Subscribing the endpoint chat", *subscribe, "--endpoint", "chat")

    def fill(self) -> None:
        """Add people, a history, the entries and what is done about them, unless an earlier start
        has. Raises DemoError.
        """
        if self._has_synced():
            return
        options = self._options
        command = [
            *(sys.executable, "-m", "tools.demo.stage", "--upstream", options.upstream),
            *("--entries", str(options.entries), "--token-file", str(options.token_file)),
        ]
        with (
            self._console.status("Filling the demo"),
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as filling,
        ):
            said = []
            for line in filling.stdout or ():
                said.append(line)
                if line.startswith(PART):
                    self._confirm(line.removeprefix(PART).strip())
        if filling.returncode != 0:
            raise DemoError(f"Filling the demo failed: {shlex.join(command)}\n{''.join(said)}")

    def find_failing_entry(self) -> int:
        """Return the id of an entry that fails while the upstream is broken, for an example."""
        titles = [
            documents.page_title(number)
            for number in range(1, self._options.entries + 1)
            if behaviour(number, broken=True) is Behaviour.FAILS
        ]
        found = self._one("SELECT min(id) FROM entries_entry WHERE title = ANY(%s)", titles)
        return int(found or 1)

    def make_token(self) -> None:
        """Write a token for the examples to token_file, unless the one there is valid."""
        file = self._options.token_file
        if not file.exists() or self._is_refused(file.read_text().strip()):
            created = self._step("Creating an API token", "create_token", USER, "--name", "demo")
            write_private(file, created.strip())

    def wait_until_ready(self, still_going: Callable[[], bool]) -> None:
        """Wait for the web server. Raises DemoError in time, or when `still_going` is false."""
        deadline = time.monotonic() + READY_WITHIN
        answer = "no answer"
        with self._console.status("Waiting for the web server"):
            while time.monotonic() < deadline and still_going():
                status, answer = self._get("/readyz")
                if status == http.client.OK:
                    return self._confirm("Waiting for the web server")
                time.sleep(0.1)
        raise DemoError(f"The web server did not get ready; {self._options.site}/readyz: {answer}")

    def _step(
        self, title: str, *command: str, env: Mapping[str, str] | None = None, tolerate: str = ""
    ) -> str:
        """Run a manage.py command and return its output.

        Raises DemoError with the output when it fails, unless that contains `tolerate`.
        """
        with self._console.status(title):
            done = subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT,
                env={**self._env, **(env or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode != 0 and not (tolerate and tolerate in done.stderr):
            output = f"{done.stdout}{done.stderr}".strip()
            raise DemoError(f"{title} failed: manage.py {' '.join(command)}\n{output}")
        self._confirm(title)
        return done.stdout

    def _confirm(self, title: str) -> None:
        self._console.print(f"[green]✓[/] {title}")

    def _has_synced(self) -> bool:
        return bool(self._one("SELECT last_synced_at FROM entries_source WHERE slug = %s", "demo"))

    def _one(self, query: LiteralString, value: str | list[str]) -> Any:
        """Return the value of the single row; None when there is no row."""
        with psycopg.connect(self._env["DATABASE_URL"]) as connection:
            found = connection.execute(query, [value]).fetchone()
        return found[0] if found else None

    def _is_refused(self, token: str) -> bool:
        status, _ = self._get("/admin/api/status", {"Authorization": f"Bearer {token}"})
        return status == http.client.UNAUTHORIZED

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(HOST, self._options.port, timeout=5)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            connection.close()
