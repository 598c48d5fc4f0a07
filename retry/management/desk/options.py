"""Options from the fields of a schema, and values for a request from what was given.

The API's schema decides what is valid; here only the writing changes. A text is a text, everything
else is JSON; ``@file`` and ``-`` stand for the content of a file and of standard input.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from django.core.management.base import CommandError
from pydantic import BaseModel
from pydantic.fields import FieldInfo

#: Fields that hold a mapping: each can be given as ``NAME=VALUE``, again and again.
_MAPPINGS = frozenset({"filter", "payload"})


#: What the command says in its own way.
_OWN = frozenset({"wait"})


def add_options(parser: argparse.ArgumentParser, model: type[BaseModel] | None) -> None:
    """Add an option for each field of ``model``."""
    for name, info in _list_fields(model).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", dest=f"field_{name}", **_describe(name, info)
        )


def read_given(options: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    """Return the fields that were given, as text, or as lists of ``NAME=VALUE``."""
    given = {name: options[f"field_{name}"] for name in _list_fields(model)}
    return {name: value for name, value in given.items() if value is not None}


def make_query(given: Mapping[str, Any]) -> dict[str, str]:
    """Return a query string's parameters; each path of ``payload`` has one of its own."""
    found: dict[str, str] = {}
    for name, value in given.items():
        if name == "payload":
            found |= {f"payload.{path}": text for path, text in map(_split, value)}
        else:
            found[name] = "true" if value is True else str(value)
    return found


def make_body(given: Mapping[str, Any], model: type[BaseModel] | None) -> dict[str, Any]:
    """Return a body. Raises ``CommandError`` where a file cannot be read or is no JSON."""
    fields = _list_fields(model)
    return {name: _read_value(name, value, fields[name]) for name, value in given.items()}


def _list_fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    fields = model.model_fields if model else {}
    return {name: info for name, info in fields.items() if name not in _OWN}


def _describe(name: str, info: FieldInfo) -> dict[str, Any]:
    need = "required" if info.is_required() else ""
    kinds = _list_types(info.annotation)
    if kinds == {bool} and info.default is not False:
        return {"metavar": name.upper(), "help": "true, false"}
    if kinds == {bool}:
        return {"action": "store_const", "const": True, "help": need}
    if name in _MAPPINGS:
        return {"action": "append", "metavar": "NAME=VALUE", "help": "once for each; or JSON"}
    choices = _list_choices(info.annotation)
    if choices:
        return {"metavar": name.upper(), "help": ", ".join([need, *choices]).lstrip(", ")}
    return {"metavar": name.upper(), "help": need}


def _read_value(name: str, value: Any, info: FieldInfo) -> Any:
    if value is True:
        return value
    if name in _MAPPINGS:
        return _read_mapping(value)
    text = _read_text(value)
    kinds = _list_types(info.annotation)
    if text == value and kinds <= {str} | {type(None)}:
        return text
    parsed = _parse(text)
    if parsed is text and list in kinds:
        return [_parse(part.strip()) for part in text.split(",")]
    if parsed is text and text != value:
        raise CommandError(f"--{name.replace('_', '-')}: {value} is not JSON.", returncode=2)
    return parsed


def _read_mapping(parts: list[str]) -> Any:
    if len(parts) == 1 and (parts[0].startswith(("{", "@")) or parts[0] == "-"):
        return _parse(_read_text(parts[0]))
    found: dict[str, Any] = {}
    for key, text in map(_split, parts):
        if key.startswith("payload."):
            found.setdefault("payload", {})[key.removeprefix("payload.")] = _parse(text)
        else:
            found[key] = _parse(text) if text in {"true", "false"} else text
    return found


def _split(part: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not equals:
        raise CommandError(f"{part!r}: write NAME=VALUE.", returncode=2)
    return name, value


def _read_text(value: str) -> str:
    if value == "-":
        return sys.stdin.read()
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CommandError(f"{value[1:]} cannot be read: {error}", returncode=2) from error


def _parse(text: str) -> Any:
    """Parse JSON; what is none is returned as it is."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _list_types(annotation: Any) -> set[Any]:
    """List what a field can be: ``str``, ``bool``, ``list`` and so on, without None."""
    origin = get_origin(annotation)
    if origin in {Union, UnionType}:
        return set().union(*map(_list_types, get_args(annotation))) - {type(None)}
    if origin is Literal:
        return {type(value) for value in get_args(annotation)}
    if hasattr(annotation, "__metadata__"):
        return _list_types(annotation.__origin__)
    return {origin or annotation}


def _list_choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if get_origin(annotation) in {Union, UnionType}:
        return [choice for part in get_args(annotation) for choice in _list_choices(part)]
    return []
