"""Finds code that writes what has one writer: an entry's status, or all rows of a table."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

#: Calls that write a row by keyword.
_WRITES = frozenset(
    {"update", "aupdate", "create", "acreate", "get_or_create", "update_or_create"}
    | {"Entry", "Attempt"}
)
#: Calls that take the names of columns to write.
_NAMED = frozenset({"save", "asave", "bulk_update", "abulk_update", "bulk_create", "abulk_create"})
#: Methods of managers, querysets and rows that write rows, whatever their arguments.
_WRITE_ROWS = frozenset(
    {"update", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
    | {"aupdate", "acreate", "abulk_create", "abulk_update", "aget_or_create", "aupdate_or_create"}
    | {"save", "asave", "save_base", "delete", "adelete", "_raw_delete", "_update"}
)
#: Functions whose value is what they are given, or out of it.
_PASSING_ON = frozenset({"list", "sorted", "next", "iter", "reversed", "tuple", "set"})


@cache
def _writing(tables: str) -> re.Pattern[str]:
    return re.compile(
        r"\b(?:update|insert\s+into|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+"
        rf'(?:only\s+)?"?(?:{tables})\b',
        re.IGNORECASE,
    )


def writes_table(sql: str, *tables: str) -> bool:
    """Whether SQL, or a piece of it, writes one of the tables."""
    return bool(_writing("|".join(map(re.escape, tables))).search(sql))


def offences(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there, where an entry's status is written."""
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
                found = writes_table(text, "entries_entry", "entries_attempt")
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


@dataclass(frozen=True)
class Rows:
    """The rows of a model: ``related`` are managers of them on other models, ``functions`` those
    that are known to return rows or a queryset of them.
    """

    model: str
    table: str
    related: Collection[str] = ()
    functions: Collection[str] = ()


def row_offences(tree: ast.AST, rows: Rows) -> Iterator[tuple[int, str]]:
    """Line and what is wrong there, where a row is made or written, by the model or by SQL."""
    own = _returning(rows.model, ast.walk(tree))
    rows = replace(rows, functions={*rows.functions, *own})
    names = _row_names(tree, rows)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name == rows.model:
                found = True
            case ast.Call(func=ast.Attribute(attr=name)) if name == rows.model:
                found = True
            case ast.Call(func=ast.Attribute(value=value, attr=verb)) if verb in _WRITE_ROWS:
                found = _is_row(value, names, rows)
            case ast.Constant(value=str(text)):
                found = writes_table(text, rows.table)
            case _:
                found = False
        if found:
            assert isinstance(node, ast.expr)
            yield node.lineno, ast.unparse(node)[:100]


def functions_returning(model: str, trees: Iterable[ast.Module]) -> frozenset[str]:
    """Public functions whose annotation says that they return rows, or a queryset, of a model."""
    found = {name for tree in trees for name in _returning(model, tree.body)}
    return frozenset(name for name in found if not name.startswith("_"))


def _returning(model: str, nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case (
                ast.FunctionDef(name=name, returns=ast.expr() as note)
                | ast.AsyncFunctionDef(name=name, returns=ast.expr() as note)
            ) if _says(note, model):
                yield name


def _row_names(tree: ast.AST, rows: Rows) -> set[str]:
    """Names that stand for rows or querysets of them, by annotation or by what is bound to them."""
    names = {rows.model}
    for node in ast.walk(tree):
        match node:
            case (
                ast.arg(arg=name, annotation=note)
                | ast.AnnAssign(target=ast.Name(id=name), annotation=note)
            ):
                if note is not None and _says(note, rows.model):
                    names.add(name)
    bound = list(_bindings(tree))
    before = 0
    while len(names) > before:
        before = len(names)
        names |= {name for name, value in bound if _is_row(value, names, rows)}
    return names


def _bindings(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=targets, value=value):
                bound = [(target, value) for target in targets]
            case ast.NamedExpr(target=target, value=value):
                bound = [(target, value)]
            case (
                ast.For(target=target, iter=value)
                | ast.AsyncFor(target=target, iter=value)
                | ast.comprehension(target=target, iter=value)
            ):
                bound = [(target, value)]
            case _:
                bound = []
        for target, value in bound:
            for part in ast.walk(target):
                if isinstance(part, ast.Name):
                    yield part.id, value


def _is_row(node: ast.expr, names: Collection[str], rows: Rows) -> bool:
    """Whether an expression begins with the model, a name of rows, or a function or a manager that
    gives rows.
    """
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Attribute(attr=name) if name in rows.related or name == rows.model:
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in rows.functions:
            return True
        case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value):
            return isinstance(value, ast.Name) and value.id in names
    return any(_is_row(part, names, rows) for part in _origins(node))


def _origins(node: ast.expr) -> list[ast.expr]:
    """What the value of an expression comes out of."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in _PASSING_ON:
            return args[:1]
        case ast.Call(func=value):
            return [value]
        case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Await(value=value):
            return [value]
        case ast.IfExp(body=first, orelse=second):
            return [first, second]
        case ast.BoolOp(values=values) | ast.List(elts=values) | ast.Tuple(elts=values):
            return values
    return []


def _says(note: ast.expr, model: str) -> bool:
    """Whether an annotation names the model, quoted or not."""
    return bool(re.search(rf"\b{model}\b", ast.unparse(note)))
