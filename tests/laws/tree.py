"""The project's own source, parsed."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "entries", "retry", "tools")


def modules(*packages: str, but: str = "") -> list[Path]:
    """Files of ``packages``, relative to the root.

    Without migrations, what lies in hidden folders, and the module ``but``.
    """
    found = [path for package in packages or PACKAGES for path in (ROOT / package).rglob("*.py")]
    named = sorted(path.relative_to(ROOT) for path in found)
    left_out = Path(*but.split(".")) if but else None
    return [
        path
        for path in named
        if "migrations" not in path.parts
        and not any(part.startswith(".") for part in path.parts)
        and (
            left_out is None or (path.with_suffix("") != left_out and left_out not in path.parents)
        )
    ]


def files(*suffixes: str) -> list[Path]:
    """What is drawn with: files of ours with these suffixes, relative to the root."""
    folders = [ROOT / "templates", *(ROOT / package for package in PACKAGES)]
    return sorted(
        path.relative_to(ROOT)
        for folder in folders
        for suffix in suffixes
        for path in folder.rglob(f"*.{suffix}")
    )


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(parsed(path))
