"""``python -m tools.matrix``: run tests in cells of the matrix and print what came of it."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from redis import Redis

from tools.embedded import EmbeddedError
from tools.matrix.cells import CELLS, OPPOSITE, USUAL, Cell
from tools.matrix.environment import (
    ROOT,
    EnvironmentMissingError,
    find_python,
    prepare,
    read_versions,
)
from tools.matrix.stores import StoreMissingError, find_postgres, find_store, provide

#: What is most likely to differ between versions, in about two minutes.
CORE = (
    "tests/races/test_transitions.py",
    "tests/integration/test_execution.py",
    "tests/integration/test_retry_service.py",
    "tests/integration/test_dispatcher.py",
    "tests/integration/test_operations.py",
    "tests/integration/test_prepared.py",
    "tests/integration/test_tasks.py",
    "tests/integration/test_doctor.py",
    "tests/faults/test_deaths.py",
    "tests/admin/test_entry_page.py",
    "tests/admin/test_retry_verbs.py",
    "tests/admin/test_front_page.py",
    "tests/admin/test_source_pages.py",
    "tests/api/test_retry.py",
    "tests/api/test_entries.py",
)
_TOTALS = re.compile(r"^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_HEAD = "| Python | Django | PostgreSQL | Redis or Valkey | tests | result |\n|" + " --- |" * 6


@dataclass(frozen=True, slots=True)
class Result:
    cell: Cell
    versions: Sequence[str]
    words: str
    passed: bool

    def row(self, *, whole: bool) -> str:
        tests = "all" if whole else "core"
        return f"| {' | '.join(self.versions)} | {tests} | {self.words} |"


def main() -> int:
    chosen = parse(sys.argv[1:])
    if chosen.list:
        return show_cells()
    results = []
    for cell in chosen.cell or CELLS:
        sys.stdout.write(f"--- {cell.name}\n")
        sys.stdout.flush()
        results.append(try_cell(cell, chosen))
    sys.stdout.write(f"\n{_HEAD}\n")
    for result in results:
        sys.stdout.write(result.row(whole=chosen.all) + "\n")
    return 0 if all(result.passed for result in results) else 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    names = {cell.name: cell for cell in CELLS} | {"usual": USUAL, "opposite": OPPOSITE}
    parser = argparse.ArgumentParser(
        prog="python -m tools.matrix",
        description=__doc__,
        epilog=(
            "A cell is named by its versions, such as 3.14-6.0-15-redis. Servers that are not on "
            "this machine may be given: MATRIX_POSTGRES_15, MATRIX_POSTGRES_18, MATRIX_REDIS and "
            "MATRIX_VALKEY are their addresses; a test database is made there, and the Redis is "
            "emptied."
        ),
    )
    parser.add_argument(
        "--list", action="store_true", help="list the cells, and what is missing here"
    )
    parser.add_argument(
        "--cell",
        action="append",
        metavar="NAME",
        type=lambda name: names.get(name) or parser.error(f"{name}: there are {', '.join(names)}"),
        help="run this one, or several; also: usual, opposite (default: all)",
    )
    parser.add_argument("--all", action="store_true", help="run all tests, not the core alone")
    parser.add_argument(
        "--nearest",
        action="store_true",
        help="where the Python of a cell cannot be had, take the newest that can",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT / ".matrix",
        help="of the environments, which are kept (default: .matrix)",
    )
    parser.add_argument("--jobs", type=int, default=2, help="test processes (default: 2)")
    return parser.parse_args(arguments)


def show_cells() -> int:
    """List all cells with what is missing; installs nothing but a Python."""
    for cell in CELLS:
        missing = []
        for find, version in (
            (find_python, cell.python),
            (find_postgres, cell.postgres),
            (find_store, cell.store),
        ):
            try:
                find(version)
            except (EnvironmentMissingError, StoreMissingError) as error:
                missing.append(str(error))
        sys.stdout.write(f"{cell.name:20} {'; '.join(missing) or 'can run here'}\n")
    return 0


def try_cell(cell: Cell, chosen: argparse.Namespace) -> Result:
    """Run the tests in it, or in its nearest neighbour where that is allowed."""
    wished = (cell.python, cell.django, cell.postgres, cell.store)
    problem = ""
    for each in cell.find_neighbours() if chosen.nearest else (cell,):
        try:
            return run_cell(each, chosen)
        except EnvironmentMissingError as error:
            problem = problem or str(error)
            sys.stdout.write(f"{error}\n")
        except (StoreMissingError, EmbeddedError) as error:
            return Result(cell, wished, f"not run: {error}", passed=False)
    return Result(cell, wished, f"not run: {problem}", passed=False)


def run_cell(cell: Cell, chosen: argparse.Namespace) -> Result:
    python = prepare(cell, chosen.folder.resolve())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="redrive-matrix-") as folder,
        provide(cell, Path(folder)) as addresses,
    ):
        versions = [*read_versions(python), *read_store_versions(addresses)]
        pytest = [str(python), "-m", "pytest", "--no-cov", "-o", f"cache_dir={folder}/cache"]
        tests = [] if chosen.all else CORE
        code, output = run_tests([*pytest, f"--numprocesses={chosen.jobs}", *tests], addresses)
        totals = read_totals(output) or f"ended with code {code}"
        if code:
            # Some run real processes against the clock: once more, alone.
            again = ["--last-failed", "--last-failed-no-failures=none", "--numprocesses=0"]
            code, output = run_tests([*pytest, *again, *tests], addresses)
            totals += f"; once more and alone: {read_totals(output) or 'none'}"
    return Result(cell, versions, f"{totals}, {time.monotonic() - began:.0f} s", passed=code == 0)


def read_totals(output: str) -> str:
    found = _TOTALS.findall(output)
    return found[-1] if found else ""


def run_tests(command: Sequence[str], addresses: dict[str, str]) -> tuple[int, str]:
    """Run them, show what they print, and return it with the exit code."""
    lines = []
    # Not this one's: the tests start programs of the environment that they run in.
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment | addresses,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as tests:
        for line in tests.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return tests.returncode, "".join(lines)


def read_store_versions(addresses: dict[str, str]) -> tuple[str, str]:
    """Return what PostgreSQL and Redis or Valkey say that they are."""
    with psycopg.connect(addresses["DATABASE_URL"]) as connection:
        number = connection.info.server_version
    with Redis.from_url(addresses["REDIS_URL"]) as client:
        info = client.info("server")
    store = (
        f"Valkey {info['valkey_version']}"
        if "valkey_version" in info
        else f"Redis {info['redis_version']}"
    )
    return f"{number // 10_000}.{number % 10_000}", store


if __name__ == "__main__":
    sys.exit(main())
