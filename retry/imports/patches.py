"""From a row of a file to what it says of an entry; pure."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from entries.sources.sync.patches import Patch
from retry.imports.cells import cell_text, unescape_formula
from retry.imports.tables import KNOWN_COLUMNS, fold


class RowRefused(Exception):
    """The row says nothing that makes sense; ``member`` is what is wrong with it."""

    def __init__(self, external_id: str, member: str, message: str) -> None:
        super().__init__(message)
        self.external_id = external_id
        self.member = member


def patch_in(values: Mapping[str, Any], *, file_format: str, has_payload: bool) -> Patch:
    """Raises ``RowRefused``. ``has_payload``: other columns than the known ones mean nothing.

    In a spreadsheet an empty cell says nothing. In JSON what is not there says nothing, nor does a
    title or payload of null; the null of any other member is a value.
    """
    if file_format == "json":
        row = {fold(name): value for name, value in values.items()}
        said = {k: v for k, v in row.items() if v is not None or k not in KNOWN_COLUMNS}
    else:
        row = {name: _cell(value) for name, value in values.items()}
        said = {name: value for name, value in row.items() if value not in ("", None)}
    members: dict[str, Any] = {}
    blanks: dict[str, Any] = {}
    if not has_payload:
        for name, value in row.items():
            if name not in KNOWN_COLUMNS:
                (members if name in said else blanks)[name] = value
    external_id = _text(said.get("external_id"))
    try:
        payload = _payload(said.get("payload"))
    except (RecursionError, ValueError) as error:
        raise RowRefused(external_id, "payload", f"is not JSON: {str(error)[:160]}") from error
    return Patch(
        external_id=external_id,
        title=_text(said["title"]) if "title" in said else None,
        payload=payload,
        members=members,
        blanks=blanks,
    )


def _cell(value: Any) -> Any:
    return unescape_formula(value) if isinstance(value, str) else value


def _text(value: Any) -> str:
    """As an id or a title: a spreadsheet has made numbers of some."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return cell_text(value)


def _payload(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    payload = json.loads(value, parse_constant=_refuse_constant)
    return payload if payload is not None else value  # "null" is said, and no payload


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
