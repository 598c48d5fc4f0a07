"""``python -m faults.upgrade COMMIT``: upgrade from a commit to this tree while everything works.

The old processes start an operation; the new code migrates under them; new processes start beside
the old, which then get SIGTERM. Meanwhile both webs are visited, clicked and pushed to. At the end
the ledger says what was lost or doubled, and every answer that was not right is listed. 503 "try
again", and steps of the dispatcher that are repeated, are noted: a migration had the table.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.env import BASE_DIR
from faults import ledger
from faults.stage import Process, Stage, find_ports, wait_until
from faults.visitor import Visitor
from tools.embedded import PostgresServer, RedisServer

_TOKEN = re.compile(r"\b(?:redrive|rdv)_[\w-]+")
#: Entries of each operation, and how long each takes.
_SIZE, _SECONDS = 1_000, 0.02
_SEED = """
import django; django.setup()
from django.contrib.auth import get_user_model
from faults import work
get_user_model().objects.create_superuser("chief", "", "chief")
work.make_failed("one", [{{"seconds": {seconds}}} for _ in range({size})], prefix="bulk")
work.make_failed("grouped", [{{}} for _ in range({size})], prefix="group")
work.make_failed("side_by_side", [{{"seconds": {seconds}}} for _ in range({size})], prefix="side")
work.make_failed("upstreamed", [{{}} for _ in range({clicks})], prefix="click")
"""
_CLICKS = 400


@dataclass(slots=True)
class Desk:
    """One version: its tree, its processes and who visits its web server."""

    tree: Path
    stage: Stage
    bind: str
    processes: list[Process] = field(default_factory=list)

    def manage(self, *words: str) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.tree,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.tree.name}: manage.py {words[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def execute(self, code: str) -> None:
        command = [sys.executable, "-c", code]
        subprocess.run(command, cwd=self.tree, env=self._environment(), check=True)

    def start(self) -> None:
        """Start web, workers and a dispatcher, and wait until they are there."""
        python, own = sys.executable, self._environment()
        web = ("-m", "gunicorn", "--config", "config/gunicorn.py", "config.wsgi:application")
        self.processes.append(
            # Needs no collected files, and answers of 500 say why.
            self.stage.run(
                *(python, *web),
                tree=self.tree,
                environment=own | {"REDRIVE_ROLE": "", "DEBUG": "1"},
            )
        )
        for words in (("dispatcher",), ("worker", "default"), *[("worker", "bulk")] * 2):
            self.processes.append(
                self.stage.run(python, "manage.py", *words, tree=self.tree, environment=own)
            )
        self.processes[0].wait_for("Listening at")
        for process in self.processes[2:]:
            process.wait_for("Listening on")

    def stop(self) -> float:
        """SIGTERM to all of it; return the seconds until the last has ended."""
        began = time.monotonic()
        for process in self.processes:
            process.send(signal.SIGTERM)
        for process in self.processes:
            process.wait(seconds=60)
        return time.monotonic() - began

    def _environment(self) -> dict[str, str]:
        return dict(os.environ) | {"WEB_BIND": self.bind}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.upgrade", description=__doc__)
    parser.add_argument("commit", help="to upgrade from")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    chosen = parser.parse_args()
    with prepare(chosen.commit, keep=chosen.keep) as (old, new):
        return play(old, new)


def play(old: Desk, new: Desk) -> int:
    """Upgrade, print what happened, and return the exit code."""
    old.manage("migrate")
    old.execute(_SEED.format(size=_SIZE, seconds=_SECONDS, clicks=_CLICKS))
    token = _TOKEN.search(old.manage("create_token", "chief", "--name", "upgrade"))
    if token is None:
        raise RuntimeError("no token was printed")
    old.start()
    say("the old version works")
    visitors = [Visitor("old", old.bind, token[0], first=1)]
    visitors[0].start()
    operations = [visitors[0].start_operation("one")]
    wait_until(lambda: count_lines(old.stage.ledger_path) > _SIZE // 10, seconds=60)
    say(f"migrated within {measure(lambda: new.manage('migrate')):.1f} s, an operation under way")
    operations.append(visitors[0].start_operation("grouped"))
    wait_until(lambda: visitors[0].count_rounds() > 2, seconds=60, what="old pages, new tables")
    new.start()
    say("the new version works beside it")
    visitors.append(Visitor("new", new.bind, token[0], first=10_001))
    visitors[1].start()
    operations.append(visitors[1].start_operation("side_by_side"))
    wait_until(lambda: visitors[1].count_rounds() > 3, seconds=120, what="pages of both")
    visitors[0].stop()
    say(f"the old version ended {old.stop():.1f} s after SIGTERM")
    began = time.monotonic()
    wait_until(lambda: visitors[1].count_rounds() > 2, seconds=120)
    visitors[1].stop()
    return judge(old.stage, visitors, operations, began=began)


def judge(stage: Stage, visitors: list[Visitor], operations: list[str], *, began: float) -> int:
    """Wait for the rest, and compare ledger and records by the new version's models."""
    import django

    django.setup()
    from entries.models import Entry
    from faults import oracle, work
    from retry.models import Operation

    wait_until(work.is_at_rest, seconds=300, what="all at rest")
    states = Operation.objects.filter(pk__in=operations)
    wait_until(lambda: set(states.values_list("state", flat=True)) == {"completed"}, seconds=60)
    say(f"all at rest {time.monotonic() - began:.1f} s after the old version had ended")
    verdict = oracle.judge(stage.read())
    say(str(verdict))
    ended = Counter(Entry.objects.values_list("kind", "status"))
    say(", ".join(f"{number:,} {kind} {status}" for (kind, status), number in ended.items()))
    noted: list[str] = []
    wrong = [] if verdict.clean else ["something was lost, doubled, or is stuck"]
    for visitor in visitors:
        say(
            f"{visitor.name}: {visitor.requests:,} requests, {len(visitor.pushed)} pushed, "
            f"{len(visitor.clicked)} clicked, {len(visitor.wrong)} wrong, "
            f"slowest {visitor.slowest:.1f} s"
        )
        busy = {each for each in visitor.wrong if each.startswith("503")}
        noted += [f"{visitor.name}: {each[:120]}" for each in sorted(busy)]
        wrong += [f"{visitor.name}: {each}" for each in sorted(set(visitor.wrong) - busy)]
        done = Entry.objects.filter(status="succeeded")
        lost = visitor.pushed - set(
            done.filter(external_id__in=visitor.pushed).values_list("external_id", flat=True)
        )
        wrong += [f"{visitor.name}: pushed and not done: {sorted(lost)[:5]}"] if lost else []
        left = visitor.clicked - set(
            done.filter(pk__in=visitor.clicked).values_list("pk", flat=True)
        )
        wrong += [f"{visitor.name}: clicked and not done: {sorted(left)[:5]}"] if left else []
    for process in stage.started:
        text = process.log.read_text(errors="replace")
        wrong += [f"{process.log.name}: {line[:300]}" for line in sorted(set(find_errors(text)))]
        noted += [f"{process.log.name}: {line[:300]}" for line in set(find_repeated(text))]
    for each in noted:
        say(f"noted: {each}")
    for each in wrong:
        say(f"WRONG {each}")
    return 1 if wrong else 0


def find_errors(text: str) -> Iterator[str]:
    """Yield the last line of each traceback, and what was logged as an error, except 503."""
    inside = False
    for line in text.splitlines():
        if line.startswith("Traceback"):
            inside = True
        elif inside and line and not line.startswith((" ", "\t")):
            inside = False
            yield line
        elif "[error" in line and not ("code=503" in line or "status_code=503" in line):
            yield line


def find_repeated(text: str) -> Iterator[str]:
    """Yield what the log says of steps of the dispatcher that were repeated."""
    return (line for line in text.splitlines() if "step_failed" in line)


@contextmanager
def prepare(commit: str, *, keep: bool) -> Iterator[tuple[Desk, Desk]]:
    """Check the commit out beside this tree, and start a PostgreSQL and a Redis."""
    folder = Path(tempfile.mkdtemp(prefix="redrive-upgrade-")).resolve()
    tree = folder / "old"
    call_git("worktree", "add", "--detach", str(tree), commit)
    postgres = PostgresServer(folder / "postgres", durable=False)
    redis = RedisServer(folder / "redis", durable=False)
    stage = Stage(folder, postgres, redis)
    try:
        postgres.start()
        redis.start()
        os.environ |= {
            "REDRIVE_ENV": "development",
            "SECRET_KEY": "only-for-an-upgrade-on-trial" * 3,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "REDRIVE_KIND_MODULES": "faults.kinds",
            "REDRIVE_ROLE": "command",  # of the code that makes the entries
            "WEB_PROCESSES": "1",
            ledger.VARIABLE: str(folder / "ledger"),
        }
        first, second = find_ports(2)
        yield (
            Desk(tree, stage, f"127.0.0.1:{first}"),
            Desk(BASE_DIR, stage, f"127.0.0.1:{second}"),
        )
    finally:
        stage.end()
        redis.stop()
        postgres.stop()
        call_git("worktree", "remove", "--force", str(tree))
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            say(f"logs in {folder}")


def call_git(*words: str) -> None:
    subprocess.run(["git", *words], cwd=BASE_DIR, check=True, capture_output=True)


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def measure(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
