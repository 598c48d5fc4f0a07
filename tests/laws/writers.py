"""Finds code that writes an entry's status by other means than ``entries.transitions``."""

import ast
import re
from collections.abc import Iterator

#: Calls that write a row by keyword.
_WRITES = frozenset(
    {"update", "aupdate", "create", "acreate", "get_or_create", "update_or_create"}
    | {"Entry", "Attempt"}
)
#: Calls that take the names of columns to write.
_NAMED = frozenset({"save", "asave", "bulk_update", "abulk_update", "bulk_create", "abulk_create"})
_SQL = re.compile(
    r"\b(?:update|insert\s+into|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+"
    r'(?:only\s+)?"?entries_(?:entry|attempt)\b',
    re.IGNORECASE,
)


def offences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets):
                found = any(_is_status(part) for target in targets for part in ast.walk(target))
            case (
                ast.AnnAssign(target=target, value=value)
                | ast.AugAssign(target=target, value=value)
            ):
                found = value is not None and _is_status(target)
            case ast.Call():
                found = _call(node)
            case ast.Constant(value=str(text)):
                found = bool(_SQL.search(text))
            case _:
                found = False
        if found:
            assert isinstance(node, ast.stmt | ast.expr)
            yield node.lineno, ast.unparse(node)[:100]


def _is_status(target: ast.AST) -> bool:
    """``self.status`` is an error's or a value's own; models never assign to themselves."""
    match target:
        case ast.Attribute(value=ast.Name(id="self"), attr="status"):
            return False
        case ast.Attribute(attr="status", ctx=ast.Store()):
            return True
    return False


def _call(node: ast.Call) -> bool:
    name = _name(node.func)
    if name == "setattr":
        return len(node.args) > 1 and _says_status(node.args[1])
    if name in _WRITES:
        given = [keyword.value for keyword in node.keywords if keyword.arg in {None, "defaults"}]
        named = any(keyword.arg == "status" for keyword in node.keywords)
        return named or any(_says_status(part) for value in given for part in ast.walk(value))
    if name in _NAMED:
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        return any(_says_status(part) for value in values for part in ast.walk(value))
    return False


def _name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _says_status(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value == "status"
