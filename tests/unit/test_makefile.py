"""``make`` installs what it needs, also into an environment without pip, as that of ``uv venv``."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from config.env import BASE_DIR

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    venv.create(tmp_path / "venv", with_pip=False)
    return tmp_path / "venv"


def make(environment: Path, *, path: str) -> "subprocess.CompletedProcess[str]":
    """Install into an environment; ``path``: folders in which programs are found."""
    command = [shutil.which("make") or "make", f"VENV={environment}", f"PYTHON={sys.executable}"]
    return subprocess.run(
        [*command, "environment"],
        cwd=BASE_DIR,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def list_programs(folder: Path) -> str:
    """A folder with what make calls, and without a uv."""
    folder.mkdir()
    for name in ("sh", "touch", "python3", "awk"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return str(folder)


def test_without_pip_it_takes_uv(environment: Path, tmp_path: Path) -> None:
    path = list_programs(tmp_path / "bin")
    noted = tmp_path / "noted"
    uv = tmp_path / "bin" / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {noted}\n')
    uv.chmod(0o755)
    done = make(environment, path=path)
    assert done.returncode == 0, done.stderr
    python = f"--python {environment}/bin/python"
    assert noted.read_text().splitlines() == [
        f"pip install --quiet {python} --require-hashes --no-deps -r requirements/{name}.txt"
        for name in ("demo", "dev")
    ]
    assert (environment / ".dev").exists()


def test_without_pip_and_uv_it_says_what_to_do(environment: Path, tmp_path: Path) -> None:
    done = make(environment, path=list_programs(tmp_path / "bin"))
    assert done.returncode != 0
    assert "-m ensurepip" in done.stdout
    assert not (environment / ".demo").exists()
