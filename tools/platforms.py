"""Whether each lock can be installed without a compiler, on every Python and machine.

Asks the registry alone and installs nothing. Prints a line each; exits with 1 if one cannot.
"""

import subprocess
import sys
from itertools import product
from pathlib import Path

LOCKS = ("runtime", "demo", "dev")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MACHINES = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin")
_UV = Path(sys.executable).with_name("uv")


def main() -> int:
    """Try every lock on every platform; return the exit code."""
    failed = 0
    for python, machine, lock in product(PYTHONS, MACHINES, LOCKS):
        problem = find_problem(lock, python=python, machine=machine)
        answer = "no" if problem else "ok"
        sys.stdout.write(f"{answer:3} Python {python} {machine:26} {lock}\n{problem}")
        failed += bool(problem)
    return 1 if failed else 0


def find_problem(lock: str, *, python: str, machine: str) -> str:
    """Return why ``requirements/<lock>.txt`` cannot be installed from wheels; empty if it can."""
    platform = ["--python-version", python, "--python-platform", machine, "--target", "unused"]
    wheels = ["--only-binary", ":all:", "--require-hashes", "--no-deps"]
    asked = ["--dry-run", "--quiet", *wheels, *platform, "-r", f"requirements/{lock}.txt"]
    tried = subprocess.run(
        [_UV, "pip", "install", *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    return tried.stderr if tried.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
