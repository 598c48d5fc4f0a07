"""What a payload has at a path: the values that match, from JSON and from text, and the condition.

A path is as in sources (``entries.sources.json_values.get_at``): ``customer``, ``links.0.href``; a
key of the payload that contains dots is found as it is.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from entries.masking import mask_values

Scalar: TypeAlias = str | int | float | bool | None
#: Any of them matches. A number equals itself however it is written; text is never a number.
Values: TypeAlias = tuple[Scalar, ...]

#: Of the parameters of an address; the rest of their name is a path.
PREFIX = "payload."
MAX_PATHS = 5
MAX_PATH_LENGTH = 200
MAX_DEPTH = 10
MAX_VALUES = 20
#: Characters of a text, digits of a whole number.
MAX_LENGTH = 500
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_INDEX = re.compile("[0-9]{1,9}", re.ASCII)
_WRITE = "must be a path and a value, such as customer=17"


def check_path(path: str) -> str:
    """Return ``path``. Raises ``ValueError`` with what is wrong."""
    parts = path.split(".")
    if not all(parts):
        raise ValueError("a path needs keys on both sides of each dot")
    if len(path) > MAX_PATH_LENGTH:
        raise ValueError(f"a path has at most {MAX_PATH_LENGTH} characters")
    if len(parts) > MAX_DEPTH:
        raise ValueError(f"a path has at most {MAX_DEPTH} parts")
    if _UNFIT.search(path):
        raise ValueError("a path must not contain control characters")
    return path


def check_object(data: Any) -> Mapping[str, Any]:
    """Return ``data``. Raises ``ValueError`` for what has no paths."""
    if not isinstance(data, Mapping):
        raise ValueError(_WRITE)  # noqa: TRY004 - a wrong value, as all others are
    return data


def check_count(paths: Mapping[str, Values]) -> Mapping[str, Values]:
    """Return ``paths``. Raises ``ValueError`` for none and for too many."""
    if not 1 <= len(paths) <= MAX_PATHS:
        raise ValueError(f"give 1 to {MAX_PATHS} paths")
    return paths


def parse_value(value: Any) -> Values:
    """Parse a JSON value, which means exactly itself; a list means any of its values.

    Raises ``ValueError``.
    """
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not 1 <= len(values) <= MAX_VALUES:
        raise ValueError(f"a list needs 1 to {MAX_VALUES} values")
    for each in values:
        _check_scalar(each)
    return values


def parse_text(text: str) -> Values:
    """Parse the text of an address or a command.

    ``17``, ``true`` and ``null`` mean the JSON value and the same letters as text, ``"17"`` the
    text alone, ``[17]`` the number alone, ``[17, 18]`` either; everything else is text. Raises
    ``ValueError``.
    """
    if not text:
        raise ValueError('must not be empty; write "" for an empty text')
    return parse_value(_interpret(text))


def parse_pair(text: str) -> tuple[str, Values]:
    """Parse ``path=value``. Raises ``ValueError``."""
    path, sign, value = text.partition("=")
    if not sign:
        raise ValueError(_WRITE)
    return check_path(path.strip()), parse_text(value.strip())


def parse_paths(data: Any) -> Mapping[str, Values]:
    """Parse a JSON object with a value for each path. Raises ``ValueError``."""
    items = check_object(data).items()
    return check_count({check_path(path): parse_value(value) for path, value in items})


def split_parameters(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the parameters of an address: those of other filters, and the texts by path."""
    plain = {name: value for name, value in data.items() if not name.startswith(PREFIX)}
    return plain, {name.removeprefix(PREFIX): data[name] for name in data if name not in plain}


def parse_texts(texts: Mapping[str, str]) -> Mapping[str, Values]:
    """Parse the text at each path. Raises ``ValueError``."""
    return check_count({check_path(path): parse_text(text) for path, text in texts.items()})


def join_pairs(pairs: Iterable[tuple[str, Values]]) -> Mapping[str, Values]:
    """Raises ``ValueError`` for a path that is there twice, and for too many."""
    joined: dict[str, Values] = {}
    for path, values in pairs:
        if path in joined:
            raise ValueError(f"{path} is given more than once")
        joined[path] = values
    return check_count(joined)


def format_text(values: Values) -> str:
    """Return the text from which ``parse_text`` makes exactly these values."""
    wanted = json.dumps(values)  # not compared as they are: to Python 1 is True
    last = values[-1]
    if isinstance(last, str) and last:
        meant = _interpret(last)
        if json.dumps(meant if isinstance(meant, list) else [meant]) == wanted:
            return last
    if len(values) == 1 and isinstance(last, str):
        return json.dumps(last, ensure_ascii=False)
    return json.dumps(values, ensure_ascii=False)


def describe(path: str, values: Values) -> str:
    """``customer = 17``; masked where the path names a secret, or within an address."""
    masked = mask_values({path: values})[path]
    text = masked if isinstance(masked, str) else format_text(tuple(masked))
    return f"{path} = {text}"


def _interpret(text: str) -> Any:
    """Return the JSON that a text means: a list where it means several values."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # which is how most text looks to a JSON parser
        return text
    if isinstance(value, list | dict | str):
        return value
    return text if text != text.strip() or value in (math.inf, -math.inf) else [value, text]


def _check_scalar(value: Any) -> None:
    match value:
        case None | bool():
            return
        case str():
            if len(value) > MAX_LENGTH:
                raise ValueError(f"a text has at most {MAX_LENGTH} characters")
            if _UNSTORABLE.search(value):
                raise ValueError("must not contain NUL characters or lone surrogates")
        case int():
            if abs(value) >= 10**MAX_LENGTH:
                raise ValueError(f"a number has at most {MAX_LENGTH} digits")
        case float():
            if not math.isfinite(value):
                raise ValueError("a number must be finite")
        case _:
            raise ValueError("must be text, a number, true, false, null, or a list of these")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class PayloadMatch(Expression):
    """Whether what is at ``path`` is one of ``values``; NULL where nothing is there."""

    def __init__(self, column: str, path: str, values: Values) -> None:
        super().__init__(output_field=BooleanField())
        self.column: Any = F(column)
        self.path = path
        self.values = values

    def get_source_expressions(self) -> list[Any]:
        return [self.column]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        [self.column] = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str, ...]]:
        column, _params = compiler.compile(self.column)
        parts = self.path.split(".")
        # Only "#>" finds list items, but it also takes "-1" and " 1" for one, so keys use "->".
        steps = (
            " #> ARRAY[%s::text]" if _INDEX.fullmatch(part) else " -> %s::text" for part in parts
        )
        found, params = column + "".join(steps), parts
        if len(parts) > 1:
            found, params = f"coalesce({column} -> %s::text, {found})", [self.path, *parts]
        choices = ", ".join(["%s::jsonb"] * len(self.values))
        return f"({found}) IN ({choices})", (*params, *map(json.dumps, self.values))
