"""The layers of ``pyproject.toml``, and imports that a function hides."""

import ast
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.laws.tree import ROOT

#: Names that begin an import of our own code.
OWN = ("config", "entries", "retry", "tools")


def contract(name: str) -> list[str]:
    """Return the layers of the contract ``name``, the uppermost first, as they are written."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [layers] = [c["layers"] for c in config["contracts"] if c["name"] == name]
    return list(layers)


def split(layer: str) -> list[str]:
    """Return the modules of one layer."""
    return [module.strip() for module in re.split("[:|]", layer)]


def dotted(path: Path) -> str:
    """Return the name of the module at ``path``; a package's is the folder's."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layers_around(module: str, layers: Sequence[str]) -> list[str]:
    """Return the entries of ``layers`` that ``module`` is, or is inside of."""
    return [
        entry
        for layer in layers
        for entry in split(layer)
        if module == entry or module.startswith(f"{entry}.")
    ]


def hidden_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the module of each import of our own code inside a function."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for node in ast.walk(function):
            match node:
                case ast.ImportFrom(module=str(module)) if module.split(".")[0] in OWN:
                    yield node.lineno, module
                case ast.Import(names=names):
                    yield from (
                        (node.lineno, alias.name)
                        for alias in names
                        if alias.name.split(".")[0] in OWN
                    )
