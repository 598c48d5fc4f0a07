"""Texts that a reader would see in English, whatever the language of the page."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TypeGuard

from django.template.base import Lexer, Token, TokenType

from tests.laws.tree import ROOT, nodes

WORDS = re.compile(r"[^\W\d_]{2,}")
#: The same in every language: names, and units.
NAMES = {"Redrive", "Redis", "PostgreSQL", "RQ", "JSON", "CSV", "HTTP", "URL", "ID", "KB", "MB"}
#: Django's, for classes.
_CLASSES = {"colM", "colMS"}
UNITS = {"ms", "min"}
_SHOWN_ATTRIBUTES = re.compile(
    r"title|alt|placeholder|label|aria-(?:label|description|roledescription|valuetext|placeholder)"
)
#: What a script shows stands in such attributes; one word alone is a name for the script.
_DATA = re.compile(r"data-[a-z-]+|hx-(?:confirm|prompt)")
_SEVERAL_WORDS = re.compile(r"[^\W\d_]{2,}[,.:]? [^\W\d_]+")
_NOT_TEXT = {"script", "style", "code", "kbd"}
_LITERAL_FILTER = re.compile(
    r"\|(?:default|default_if_none|yesno|pluralize|add)(?::(?:\"([^\"]*)\"|'([^']*)'))?"
)
_ARGUMENT = re.compile(r"(?<![_(])\b\w+=(?:\"([^\"]*)\"|'([^']*)')")
_CONSTANT = re.compile(r"_\((?:\"[^\"]*\"|'[^']*')\)")

#: What is shown, as keyword of a call, as name of a class attribute or of a module's constant.
SHOWN = {
    "description", "empty_label", "empty_value_display", "heading", "help_text", "hint",
    "index_title", "label", "placeholder", "short_description", "site_header", "site_title",
    "subtitle", "title", "verbose_name", "verbose_name_plural",
}  # fmt: skip
#: Calls whose literals are shown: the place of the text among the arguments, or all.
_CALLS = {
    "ValidationError": 0, "message_user": 1, "messages.debug": 1, "messages.error": 1,
    "messages.info": 1, "messages.success": 1, "messages.warning": 1, "format_html": 0,
    "SafeString": 0, "mark_safe": 0,
}  # fmt: skip
GETTEXT = {
    "_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext",
    "pgettext_lazy", "npgettext", "npgettext_lazy",
}  # fmt: skip


def untranslated_in_template(path: Path) -> list[str]:
    return list(find_in_template((ROOT / path).read_text()))


def find_in_template(source: str) -> Iterator[str]:
    page = _Page()
    parts = []
    for token in _outside_of_translations(source):
        if token.token_type == TokenType.TEXT:
            parts.append(token.contents)
        elif token.token_type != TokenType.COMMENT:
            # A letter is no word, and may stand in a tag, an attribute or a text.
            parts.append("x" if token.token_type == TokenType.VAR else " ")
            yield from _find_literals(token.contents)
    page.feed("".join(parts))
    page.close()
    yield from page.found


def _outside_of_translations(source: str) -> Iterator[Token]:
    inside = ""
    for token in Lexer(source).tokenize():
        name = token.contents.split(" ")[0] if token.token_type == TokenType.BLOCK else ""
        if inside:
            if name == f"end{inside}":
                inside = ""
        elif name in {"blocktranslate", "blocktrans", "comment"}:
            inside = name
            yield token
        else:
            yield token


def _find_literals(contents: str) -> Iterator[str]:
    """Texts in the arguments of a tag or a filter."""
    if contents.startswith(("translate ", "trans ")):
        return
    bare = _CONSTANT.sub("", contents)
    for found in _LITERAL_FILTER.finditer(bare):
        text = found[1] or found[2] or ""
        if WORDS.search(text) or "pluralize" in found[0]:
            yield found[0]
    if bare.startswith("include "):
        for found in _ARGUMENT.finditer(bare):
            text = found[1] or found[2] or ""
            if _SEVERAL_WORDS.search(text) or re.match(r"[A-Z][a-z]", text):
                yield found[0]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_TEXT:
            self._open.append(tag)
        button = tag == "input" and dict(attrs).get("type") in {"submit", "button", "reset"}
        for name, value in attrs:
            shown = _SHOWN_ATTRIBUTES.fullmatch(name) or (button and name == "value")
            if (value and shown and has_words(value)) or (
                value and _DATA.fullmatch(name) and _SEVERAL_WORDS.search(value)
            ):
                self.found.append(f'{name}="{value}"')

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._open and has_words(data):
            self.found.append(" ".join(data.split()))


def has_words(text: str) -> bool:
    return any(word not in NAMES | UNITS | _CLASSES for word in WORDS.findall(text))


def untranslated_in_module(path: Path) -> list[str]:
    return [
        f"{path}:{literal.lineno}: {ast.unparse(literal)}"
        for node in nodes(path)
        for value in _shown_values(node)
        for literal in find_literals(value)
    ]


def messages_put_together(path: Path) -> list[str]:
    """Calls of ``gettext`` with something else than a text or a name."""
    return [
        f"{path}:{node.lineno}"
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and _last_name(node.func) in GETTEXT
        and any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in node.args)
    ]


def _shown_values(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Assign):
        if any(_last_name(target) in SHOWN for target in node.targets):
            yield node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        if _last_name(node.target) in SHOWN:
            yield node.value
    elif isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg in SHOWN)
        for call in {_last_name(node.func), ast.unparse(node.func)} & _CALLS.keys():
            yield from node.args[_CALLS[call] : _CALLS[call] + 1]


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def find_literals(value: ast.AST) -> Iterator[ast.expr]:
    """Return the texts that a value is made of, without those that ``gettext`` gets."""
    if isinstance(value, ast.Call):
        return
    if _is_text(value):
        text = _visible(value)
        if has_words(text):
            yield value
        return
    if isinstance(value, ast.IfExp | ast.BinOp | ast.BoolOp | ast.Tuple | ast.List | ast.Dict):
        for child in ast.iter_child_nodes(value):
            yield from find_literals(child)


def _is_text(node: ast.AST) -> TypeGuard[ast.expr]:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _visible(node: ast.expr) -> str:
    """Return the text without the tags of HTML in it, and without what is filled in."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
    return re.sub(r"<[^>]*>|\{[^}]*\}|&\w+;", " ", text)
