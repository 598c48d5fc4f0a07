"""What sources, readers and requests say is recognised where a page shows it."""

import ast
from collections.abc import Iterator

import pytest

from entries.phrases import Sentence
from tests.laws.tree import modules, nodes

#: Raised or returned with words: which argument they are.
SAYING = {
    "AddressRefused": 0,
    "BrokenAnswer": 0,
    "Invalid": 0,
    "InvalidAddress": 0,
    "NotHTTP": 0,
    "NotJSON": 0,
    "NotSendable": 0,
    "NotStorable": 0,
    "Note": 0,
    "RowError": 1,
    "RowFault": 0,
    "SourceError": 1,
    "StoreAway": 0,
    "TooLarge": 0,
    "TooManyRedirects": 0,
    "Unreachable": 0,
    "ValueError": 0,
}
#: Mistakes of programs, which no page shows.
OF_PROGRAMS = ("17 are written by entries.transitions", "not a new location: 17")
_TOO_LONG = "line 17 is longer than 17 characters; a quotation mark may be missing"
#: What is put together, in one of its forms.
FORMS = {
    "17 from 17": "17 bytes, more than 17 from 17",
    "17 is not in 17; set the option encoding": "line 17 is not in 17; set the option encoding",
    "broken JSON in 17: 17": "broken JSON in line 17, column 17: 17",
    "broken JSON: 17": "broken JSON: not UTF-8 at byte 17",
    "the header in 17 holds 17": "the header in row 17 holds 17",
    f"the row that 17reaches {_TOO_LONG}": f"the row that reaches {_TOO_LONG}",
    "the server hung up 17": "the server hung up without an answer",
}
SOURCES = modules("entries")


def find_said() -> Iterator[str]:
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                place = SAYING.get(name, len(node.args))
                yield from map(write_example, node.args[place : place + 1])


def write_example(words: ast.expr) -> str:
    """Return a text as it may come out, or nothing for what is not written there."""
    if isinstance(words, ast.Constant) and isinstance(words.value, str):
        return words.value
    if isinstance(words, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.Constant) else "17" for p in words.values)
        return "".join(map(str, parts))
    return ""


SAID = sorted({text for text in find_said() if text and text not in OF_PROGRAMS})


def test_there_are_some() -> None:
    assert len(SAID) > 80


@pytest.mark.parametrize("text", SAID)
def test_what_is_said_is_a_known_sentence(text: str) -> None:
    said = FORMS.get(text, text)
    assert any(sentence.read(said) for sentence in Sentence.known)


#: Raised with words that a page may show, and no sentence of a row.
REFUSING = {
    "NotConfirmable",
    "QueueUnavailable",
    "RepairRefused",
    "RetryError",
    "SourceError",
    "SubscriptionRefused",
    "TokenRefused",
    "UploadRefused",
    "ViewRefused",
}
#: What speaks English to scripts only.
_ENGLISH = ("retry/api", "retry/management", "retry/worker")


def test_what_is_refused_can_be_translated() -> None:
    """A refusal is raised with a phrase, not with a text."""
    plain = [
        f"{path}:{node.lineno}"
        for path in modules("retry")
        if not str(path).startswith(_ENGLISH)
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in REFUSING
        and write_example(node.args[-1] if node.args else ast.Constant(value=None))
    ]
    assert plain == []
