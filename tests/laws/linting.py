"""Lints a tree once for each violation, in one process: starting a linter costs more than linting.

A program of its own, in whose folder the tree is: the packages of a test process are already those
of the project. Reads violations, as pairs of module and line, and writes what was said of each.
"""

import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from importlinter.cli import lint_imports


def lint_with(module: str, line: str, *, cache: str) -> tuple[int, str]:
    """The exit code, and what is printed, where ``module`` ends with ``line``."""
    path = Path(module)
    before = path.read_text() if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n")
    said = StringIO()
    try:
        with redirect_stdout(said):
            code = lint_imports(cache_dir=cache)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
    return code, said.getvalue()


if __name__ == "__main__":
    json.dump([lint_with(*each, cache=sys.argv[1]) for each in json.load(sys.stdin)], sys.stdout)
