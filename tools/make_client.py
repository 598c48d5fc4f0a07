"""``python -m tools.make_client``: make the client without an event loop from the one with."""

import subprocess
import sys
from pathlib import Path

import unasync

FOLDER = Path(__file__).parent.parent / "redrive_client"
_NAMES = {
    "AsyncClient": "Client",
    "AsyncConnection": "Connection",
    "AsyncBaseTransport": "BaseTransport",
    "aclose": "close",
    "asynccontextmanager": "contextmanager",
    "asyncio": "time",
    "_async": "_sync",
}


def make(into: Path = FOLDER / "_sync") -> None:
    """Write ``redrive_client/_sync``, formatted."""
    rule = unasync.Rule(
        fromdir=f"{FOLDER}/_async/", todir=f"{into}/", additional_replacements=_NAMES
    )
    unasync.unasync_files([str(path) for path in sorted(FOLDER.glob("_async/*.py"))], [rule])
    for command in (["check", "--fix", "--unsafe-fixes", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, str(into)], check=True)


if __name__ == "__main__":
    make()
