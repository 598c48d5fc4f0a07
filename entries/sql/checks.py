"""A system check that reads every ``.sql`` file before one of its statements is needed."""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.core import checks

from entries.sql.statements import BadStatement


@checks.register(checks.Tags.compatibility)
def check_statements(
    app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """Import each module with a ``.sql`` file beside it, which reads that file."""
    found: list[checks.CheckMessage] = []
    for module in _find_modules(app_configs or apps.get_app_configs()):
        try:
            importlib.import_module(module)
        except BadStatement as error:
            found.append(
                checks.Error(
                    f"{error}.", hint="entries/sql/statements.py has the rules.", id="entries.E006"
                )
            )
    return found


def _find_modules(app_configs: Iterable[AppConfig]) -> Iterator[str]:
    for app in app_configs:
        root = Path(app.path)
        for path in sorted(root.rglob("*.sql")):
            if path.with_suffix(".py").is_file():
                yield ".".join([app.name, *path.relative_to(root).with_suffix("").parts])
