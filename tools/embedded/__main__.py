"""The command line: python -m tools.embedded [--data DIR | --temporary] COMMAND ARG..."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.embedded.errors import EmbeddedError
from tools.embedded.runner import run
from tools.embedded.terminal import tell

DESCRIPTION = """\
Run COMMAND with a real PostgreSQL and a real Redis around it, and stop both when it ends.

COMMAND finds them through DATABASE_URL and REDIS_URL, on Unix sockets. If one of these is set
already, that server is used instead of a new one. Ctrl-C and SIGTERM are passed on to COMMAND,
and its exit code is returned."""

EXAMPLES = """\
examples:
  python -m tools.embedded python manage.py shell
  python -m tools.embedded --data /srv/redrive python -m tools.demo
  python -m tools.embedded --temporary -- python -m pytest -x

A second command on the same DIR shares the servers of the first while that one runs."""


@dataclass(frozen=True)
class Request:
    command: list[str]
    folder: Path | None


def parse(arguments: Sequence[str]) -> Request:
    parser = argparse.ArgumentParser(
        prog="python -m tools.embedded",
        usage="%(prog)s [--data DIR | --temporary] [--] COMMAND ARG...",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=None,
        help="folder for the data, kept for the next start (default: $DATA_DIR, else .data)",
    )
    place.add_argument(
        "--temporary",
        action="store_true",
        help="new data, not synced to disk and deleted at the end (for tests)",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="what to run")
    found = parser.parse_args(arguments)
    command = found.command[1:] if found.command[:1] == ["--"] else found.command
    if not command:
        parser.error("no COMMAND given")
    default = Path(os.environ.get("DATA_DIR") or ".data")
    return Request(command, None if found.temporary else found.data or default)


def main() -> int:
    request = parse(sys.argv[1:])
    try:
        return run(request.command, folder=request.folder)
    except EmbeddedError as error:
        tell(f"tools.embedded: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
