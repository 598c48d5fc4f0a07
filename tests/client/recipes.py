"""The recipes of ``docs/recipes.md``, run as they stand there at a desk that has work for them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils import timezone

from entries.models import Endpoint, Entry
from retry.access import tokens
from retry.models import ErrorGroup, Hold, Operation
from retry.outcomes import Actor
from tests.api.server import web_server
from tests.factories.entries import EndpointFactory, EntryFactory
from tests.factories.users import UserFactory
from tests.support.error_groups import note_failures
from tests.support.http import LocalServer
from tests.support.processes import child_environment, dispatching, listening_worker
from tests.support.servers import ROOT

PAGE = ROOT / "docs" / "recipes.md"
_BLOCK = re.compile(r"^```(\w+)\n(.+?)^```$", re.MULTILINE | re.DOTALL)
#: It is six in the evening where the scripts run, so that there is a morning to look back at.
_EVENING = 18
_FAST = {"REDRIVE_ALLOWED_NETWORKS": "127.0.0.1/32", "REDRIVE_TICK_SECONDS": "0.1"}


@dataclass(frozen=True, slots=True)
class Block:
    language: str
    text: str


def read_recipes() -> Mapping[str, list[Block]]:
    """Return the blocks of each section; what stands before the first is under ``""``."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    titles = ["", *parts[1::2]]
    return {
        title: [Block(*found) for found in _BLOCK.findall(text)]
        for title, text in zip(titles, parts[::2], strict=True)
    }


@dataclass(frozen=True, slots=True)
class Desk:
    """``folder``: where the scripts run. ``receiver``: the endpoint ``crm``, which is back."""

    url: str
    token: str
    folder: Path
    receiver: LocalServer

    def run(self, block: Block) -> str:
        """Run it as it stands, and return what it printed."""
        if block.language == "python":
            command = [sys.executable, "-W", "error", "-c", block.text]
        else:
            [functions] = read_recipes()[""]
            command = ["bash", "-c", functions.text + block.text]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment(), capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        hours = _EVENING - datetime.now(UTC).hour
        hours -= 24 if hours > 12 else 0  # no place is further from UTC
        own = {
            "DESK": f"{self.url}/admin/api",
            "TOKEN": self.token,
            "TZ": f"DESK{-hours:+d}",  # as POSIX has it, west is plus
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        }
        return {**os.environ, **child_environment(**_FAST), **own}


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """A desk with all its processes, and an administrator's token."""
    user = UserFactory.create(username="nightly", is_staff=True, is_superuser=True)
    token = tokens.create(user, name="recipes", actor=Actor.command("test"))
    (folder / "manage.py").symlink_to(ROOT / "manage.py")
    with (
        LocalServer(keeps=True) as receiver,
        web_server(WEB_PROCESSES="1", **_FAST) as web,
        dispatching(**_FAST),
        listening_worker("default", **_FAST),
        listening_worker("bulk", **_FAST),
    ):
        receiver.answer("/hooks")
        yield Desk(web.url, token, folder, receiver)


def furnish(desk: Desk) -> None:
    """Lay the stage anew: deliveries to ``crm`` that failed at noon, more of one error than of
    another; one that failed in the morning; and one to an endpoint that there is not."""
    Hold.objects.all().delete()
    Entry.objects.all().delete()
    ErrorGroup.objects.all().delete()
    Operation.objects.all().delete()
    if not Endpoint.objects.exists():
        EndpointFactory.create(slug="crm", url=desk.receiver.url("/hooks"))
    now = timezone.now()
    for name, count, hours in (("1-503", 8, 6), ("1-504", 3, 5), ("1-502", 1, 9)):
        fail(name, count=count, at=now - timedelta(hours=hours))
    note_failures("1-old", at=now - timedelta(days=3), message="long ago")


def fail(fingerprint: str, *, count: int, at: datetime, endpoint: str = "crm") -> None:
    """Let deliveries have failed alike."""
    message = f"HTTP {fingerprint[2:]} from crm"
    for number in range(count):
        EntryFactory.create(
            kind="webhook",
            failed=True,
            fingerprint=fingerprint,
            error_message=message,
            failed_at=at,
            external_id=f"{fingerprint}-{number}",
            payload={"endpoint": endpoint, "total": str(number)},
        )
    note_failures(
        fingerprint, count=count, at=at, message=message, kind="webhook", upstreams=(endpoint,)
    )
