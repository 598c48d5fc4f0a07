"""The Python and the packages of a cell, by uv, in a folder that is kept for the next time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.matrix.cells import Cell

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = ROOT / "requirements" / "dev.txt"
_UV = Path(sys.executable).with_name("uv")


class EnvironmentMissingError(Exception):
    """The Python or a package of a cell cannot be had here; the text says why."""


def find_python(version: str) -> str:
    """Return the path of a Python, which is installed if need be.

    Raises ``EnvironmentMissingError``.
    """
    if path := _find_on_machine(version):
        return path
    found = _uv("python", "find", "--no-project", version)
    if found.returncode:
        # It comes from another place than packages, which not every network reaches.
        _uv("python", "install", "--no-bin", version)
        found = _uv("python", "find", "--no-project", version)
    if found.returncode:
        raise EnvironmentMissingError(f"Python {version} is not here and cannot be installed")
    return found.stdout.strip()


def _find_on_machine(version: str) -> str:
    """Return a Python that runs, from the PATH or pyenv's folder; empty where there is none.

    pyenv puts scripts on the PATH that refuse to run, at which uv gives up.
    """
    home = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = shutil.which(f"python{version}")
    paths = [str(path) for path in home.glob(f"versions/{version}.*/bin/python")]
    for path in [on_path, *paths] if on_path else paths:
        shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        if f"Python {version}." in shown.stdout:
            return path
    return ""


def prepare(cell: Cell, folder: Path) -> Path:
    """Return the Python of an environment with the locked packages and the cell's Django.

    Raises ``EnvironmentMissingError``.
    """
    home = folder / f"{cell.python}-{cell.django}"
    python = home / "bin" / "python"
    stamp = home / ".locked"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return python
    _install("venv", "--quiet", "--clear", "--python", find_python(cell.python), str(home))
    into = ("--quiet", "--python", str(python))
    _install("pip", "sync", *into, "--require-hashes", str(LOCK))
    _install("pip", "install", *into, "--no-deps", f"django~={cell.django}.0")
    _install("pip", "check", *into)
    stamp.write_bytes(LOCK.read_bytes())
    return python


def read_versions(python: Path) -> tuple[str, str]:
    """Return the versions of Python and Django in an environment."""
    code = "import django, platform; print(platform.python_version(), django.__version__)"
    shown = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    found, django = shown.stdout.split()
    return found, django


def _install(*words: str) -> None:
    done = _uv(*words)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-3:]
        raise EnvironmentMissingError(f"uv {words[0]}: {' '.join(last)}")


def _uv(*words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"UV_HTTP_TIMEOUT": "60"}
    return subprocess.run(
        [_UV, *words], env=environment, capture_output=True, text=True, check=False
    )
