"""Every module is in one layer, there are few layers, and no function hides an import."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.laws.layers import OWN, contract, dotted, hidden_imports, layers_around, split
from tests.laws.tree import modules, parsed

LAYERS = contract("Imports go downwards only")
MOST_LAYERS = 12
#: The packages that the layers are of.
PRODUCT = ("config", "entries", "retry")
_TASKS = "the library of tasks, which may be missing, only where there are tasks"
#: File -> why it imports our own modules inside a function.
HIDDEN: Mapping[str, str] = {
    "config/web/worker.py": "gunicorn's first process loads it, and has no Django set up",
    "entries/sources/files/xlsx.py": "openpyxl, only where there is a workbook",
    "entries/apps.py": "AppConfig.ready: models exist from then on",
    "retry/admin/apps.py": "AppConfig.ready: models exist from then on",
    "retry/admin/exports/formats.py": "openpyxl, only where there is a workbook",
    "retry/admin/registrations.py": "axes' models, only where it is installed",
    "retry/apps.py": "AppConfig.ready: models exist from then on",
    "retry/imports/tables.py": "openpyxl, only where there is a workbook",
    "retry/tasks/__init__.py": _TASKS,
    "retry/tasks/calls.py": _TASKS,
    "retry/tasks/kind.py": _TASKS,
    "retry/tasks/preparation.py": _TASKS,
    "tools/demo/stage.py": "what is imported needs Django's setup",
    "tools/openapi/__main__.py": "its types need settings, which it sets up first",
    "retry/worker/main.py": "openpyxl, only in workers whose work-horses read workbooks",
}


def test_every_module_is_in_exactly_one_layer() -> None:
    places = {
        module: layers_around(module, LAYERS)
        for path in modules(*PRODUCT)
        if (module := dotted(path)) not in PRODUCT
    }
    assert {module: found for module, found in places.items() if len(found) != 1} == {}


def test_there_are_few_layers() -> None:
    assert len(LAYERS) <= MOST_LAYERS


def test_every_layer_names_modules_that_exist() -> None:
    names = [module for layer in LAYERS for module in split(layer)]
    existing = {dotted(path) for path in modules(*PRODUCT)}
    assert set(names) <= existing
    assert len(names) == len(set(names))


def test_no_function_hides_an_import_of_our_own() -> None:
    found = {str(path) for path in modules(*OWN) for _ in hidden_imports(parsed(path))}
    assert found == HIDDEN.keys()


@pytest.mark.parametrize(
    ("code", "hidden"),
    [
        ("def f():\n    from retry import service", ["retry"]),
        ("class A:\n    async def f(self):\n        import entries.models", ["entries.models"]),
        ("from retry import service\nimport entries.models", []),
        ("def f():\n    from django.db import models\n    import json", []),
    ],
)
def test_an_import_inside_a_function_is_seen(code: str, hidden: list[str]) -> None:
    assert [module for _, module in hidden_imports(ast.parse(code))] == hidden


def test_a_module_outside_of_all_layers_is_seen() -> None:
    assert dotted(Path("retry/brand_new.py")) == "retry.brand_new"
    assert layers_around("retry.brand_new", LAYERS) == []
    assert layers_around("retry.runs.lifecycle", LAYERS) == ["retry.runs"]
    assert layers_around("retry.runs", ["retry.runs", "retry.runs : retry.queue"]) == [
        "retry.runs",
        "retry.runs",
    ]
    assert dotted(Path("retry/__init__.py")) == "retry"
