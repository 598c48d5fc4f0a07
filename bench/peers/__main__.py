"""``python -m bench.peers``: install the peers that are not part of the project.

Celery goes into an environment of its own, BullMQ into its folder; both are pinned. Without them
the tables say "not installed".
"""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
_QUIETLY = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")
_FROM = ("--disable-pip-version-check", "-r")


def main() -> None:
    venv.create(HERE / ".venv", with_pip=True)
    python = HERE / ".venv" / "bin" / "python"
    _run(python, "-m", "pip", "install", "--quiet", *_FROM, HERE / "requirements.txt")
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not installed: BullMQ is left out")
        return
    # Not ``npm ci``: the lock names the optional accelerators of one platform only.
    _run(npm, "install", "--no-save", *_QUIETLY, "--prefix", HERE / "bullmq")


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
