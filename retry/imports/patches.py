"""Rows of a file, parsed into patches of entries; pure."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from entries.sources.patches import Patch
from retry.imports.cells import cell_text, unescape_formula
from retry.imports.tables import KNOWN_COLUMNS, fold
from retry.sentences import NOT_JSON


class RowRefused(Exception):
    """The row cannot be parsed; ``member`` is the part that is wrong."""

    def __init__(self, external_id: str, member: str, message: str) -> None:
        super().__init__(message)
        self.external_id = external_id
        self.member = member


def parse_row(values: Mapping[str, Any], *, file_format: str, has_payload: bool) -> Patch:
    """Parse a row. Raises ``RowRefused``.

    ``has_payload``: only the known columns count. An empty cell of a spreadsheet changes nothing.
    In JSON neither missing members nor a title or payload of null change anything; null in any
    other member is a value.
    """
    if file_format == "json":
        row = {fold(name): value for name, value in values.items()}
        given = {k: v for k, v in row.items() if v is not None or k not in KNOWN_COLUMNS}
    else:
        row = {name: _cell(value) for name, value in values.items()}
        given = {name: value for name, value in row.items() if value not in ("", None)}
    members: dict[str, Any] = {}
    blanks: dict[str, Any] = {}
    if not has_payload:
        for name, value in row.items():
            if name not in KNOWN_COLUMNS:
                (members if name in given else blanks)[name] = value
    external_id = _text(given.get("external_id"))
    try:
        payload = _payload(given.get("payload"))
    except (RecursionError, ValueError) as error:
        raise RowRefused(external_id, "payload", NOT_JSON(why=str(error)[:160])) from error
    return Patch(
        external_id=external_id,
        title=_text(given["title"]) if "title" in given else None,
        payload=payload,
        members=members,
        blanks=blanks,
    )


def _cell(value: Any) -> Any:
    return unescape_formula(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    """Return an id or a title as text: spreadsheets turn some into numbers."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return cell_text(value)


def _payload(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    payload = json.loads(value, parse_constant=_refuse_constant)
    return payload if payload is not None else value  # the text "null" is refused later


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
