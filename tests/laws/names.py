"""How functions, classes and modules are named: functions are verbs, classes and modules nouns."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Words in -ed and -ing that are no participles, or are nouns of the field.
_NOUNS = frozenset(
    {
        *("embed", "exceed", "feed", "need", "proceed", "red", "seed", "shed", "speed", "bed"),
        *("ping", "ring", "string", "thing", "king", "spring", "bring", "sibling", "setting"),
        *("processing", "recording", "pacing", "masking", "logging", "reading", "routing"),
        *("encoding", "spacing", "heading", "meaning", "warning", "mapping", "padding", "timing"),
        *("ceiling", "succeed", "seconds"),
    }
)
#: Participles without -ed and -ing.
_IRREGULAR = frozenset(
    {
        *("begun", "chosen", "done", "drawn", "found", "given", "gone", "held", "kept", "known"),
        *("left", "lost", "made", "paid", "said", "seen", "sent", "shown", "spent"),
        *("taken", "thrown", "told", "written"),
    }
)
_PREDICATES = frozenset(
    {"is", "are", "has", "have", "had", "may", "was", "were", "can", "sees", "needs", "must"}
)
#: A participle behind one of these names what the verb works on: ``retry_failed``.
_VERBS = frozenset(
    {
        *("add", "cancel", "check", "claim", "collect", "count", "create", "delete", "describe"),
        *("discard", "drop", "end", "exclude", "fail", "fetch", "fill", "filter", "find", "finish"),
        *("forget", "format", "get", "hold", "insert", "join", "kill", "lift", "list", "load"),
        *("lock", "log", "mark", "move", "note", "notice", "order", "parse", "pause", "put"),
        *("queue", "raise", "read", "record", "refuse", "release", "remove", "render", "repeat"),
        *(
            "repair",
            "replace",
            "requeue",
            "rescue",
            "restore",
            "resume",
            "resync",
            "retry",
            "return",
        ),
        *("revert", "save", "select", "send", "serve", "set", "settle", "show", "skip", "sort"),
        *("start", "stop", "store", "submit", "sync", "take", "update", "wait", "wake", "write"),
        *(
            "catch",
            "hand",
            "offer",
            "hide",
            "split",
            "merge",
            "build",
            "make",
            "validate",
            "unlock",
        ),
    }
)
#: Modules whose name in -ing is the field's own noun.
_MODULES = frozenset(
    {"processing", "recording", "pacing", "masking", "logging", "reading", "routing"}
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class: ``qualified`` is ``Class.method`` for a method."""

    line: int
    qualified: str
    is_class: bool
    is_exception: bool
    is_property: bool

    @property
    def words(self) -> list[str]:
        name = self.qualified.rpartition(".")[2]
        return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def definitions(tree: ast.AST, exceptions: Collection[str] = ()) -> Iterator[Definition]:
    """Yield every function and class of ``tree``; ``exceptions`` are names of exception classes."""
    yield from _inside(tree, "", set(exceptions) | exception_names([tree]))


def _inside(node: ast.AST, prefix: str, exceptions: Collection[str]) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            is_class = isinstance(child, ast.ClassDef)
            yield Definition(
                child.lineno,
                prefix + child.name,
                is_class,
                is_exception=is_class and child.name in exceptions,
                is_property=any(_is_field(decorator) for decorator in child.decorator_list),
            )
            inner = f"{child.name}." if is_class else ""
        yield from _inside(child, inner, exceptions)


def _is_field(decorator: ast.expr) -> bool:
    """A property or a column of the admin: read like a field, and named like one."""
    text = ast.unparse(decorator)
    return "property" in text or text.partition("(")[0] in {"display", "admin.display"}


def exception_names(trees: Collection[ast.AST]) -> set[str]:
    """Return the names of the classes of ``trees`` that inherit from an exception."""
    bases = {
        node.name: {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    known = {"Exception", "BaseException", "Warning"}

    def is_one(name: str, seen: frozenset[str]) -> bool:
        if name in known or (name not in bases and name.endswith(("Error", "Exception"))):
            return True
        return any(is_one(base, seen | {name}) for base in bases.get(name, set()) - seen - {name})

    return {name for name in bases if is_one(name, frozenset())}


def problem_with(definition: Definition) -> str | None:
    """Return what is wrong with the name and what to choose instead, or None."""
    words = definition.words
    if not words or definition.is_exception:
        return None
    if "of" in words:
        return "no 'of': 'as_row', 'from_x', 'find_x', 'describe_x'"
    if definition.is_class:
        return "a class is a noun" if _is_participle(words[-1]) else None
    if definition.is_property or words[0] in _PREDICATES or {"is", "are"} & set(words):
        return None
    if _is_participle(words[0]) or (_is_participle(words[-1]) and words[0] not in _VERBS):
        return "a function is a verb"
    return None


def problem_with_module(path: Path) -> str | None:
    """Return what is wrong with the name of a module or package, or None."""
    words = path.stem.strip("_").split("_")
    if "of" in words:
        return "no 'of'"
    return "a module is a noun" if any(_is_gerund(w) and w not in _MODULES for w in words) else None


def _is_gerund(word: str) -> bool:
    return word.endswith("ing") and word not in _NOUNS


def _is_participle(word: str) -> bool:
    if word in _IRREGULAR:
        return True
    return word not in _NOUNS and word.endswith(("ed", "ing"))


#: Names that somebody else has chosen: what overrides a method of a framework is called like it.
OVERRIDES: Mapping[str, str] = {
    "lookup_allowed": "ModelAdmin",
    "connection_made": "asyncio.Protocol",
    "connection_lost": "asyncio.Protocol",
    "data_received": "asyncio.Protocol",
}
