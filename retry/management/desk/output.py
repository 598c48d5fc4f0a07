"""Answers as text: a table for a list, a line for each value of one thing; or JSON as it is."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Columns of a table at most; ``--json`` has all.
_COLUMNS = 8
_WIDTH = 60


def format_json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)


def write_answer(answer: Mapping[str, Any], console: Console) -> None:
    """Write it for people: on a terminal as a table, elsewhere as lines with tabs."""
    rows = answer.get("results")
    if not isinstance(rows, list):
        for name, value in answer.items():
            console.print(Text(f"{name}: {_format(value)}"), soft_wrap=True)
        return
    if rows:
        _write_rows(rows, console)
    else:
        console.print("Nothing.")
    if answer.get("next_cursor"):
        console.print(Text(f"There are more: --cursor {answer['next_cursor']}"), soft_wrap=True)


def _write_rows(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    plain = [name for name, value in rows[0].items() if not isinstance(value, list | dict)]
    columns = plain[:_COLUMNS]
    if not console.is_terminal:
        for row in rows:
            cells = [" ".join(_format(row[name]).split()) for name in columns]
            console.print(Text("\t".join(cells)), soft_wrap=True)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(_shorten(_format(row[name]))) for name in columns))
    console.print(table)


def _shorten(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _format(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        str(value) if not isinstance(value, list | dict) else json.dumps(value, ensure_ascii=False)
    )
