"""Texts, comments, docs and SQL use words that people use at work."""

import pytest

from tests.laws.tree import ROOT
from tests.laws.words import EXEMPTIONS, is_exempt, refused_words, tracked


def test_no_refused_word_is_used() -> None:
    found = [
        f"{path}:{line}: {word!r}, better: {instead}"
        for path in tracked()
        for line, word, instead in sorted(refused_words((ROOT / path).read_text()))
        if not is_exempt(path, word)
    ]
    assert not found, f"{len(found)} refused words:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "Whoever comes first",
        "read anew",
        "nobody's run",
        "a passing\n    # fault",
        "failed by passing faults",
        "It goes on.",
        "puts it right? no: puts right",
        "50 at\nthe most",
        "upon request",
        "through a Doorway",
        "the worker is told",
        "lasts for ever",
        "<p>for want of a worker</p>",
    ],
)
def test_a_refused_word_is_noticed(text: str) -> None:
    assert len(list(refused_words(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The wording is at most 50 characters",
        "a renewal, most of them, the bellow, the households",
        "nobody_knows as part of a name",
        "the fault that passes",
        "amission, harvest, coupon, thereupons",
        "goes once, on Sundays",
    ],
)
def test_what_is_no_refused_word(text: str) -> None:
    assert list(refused_words(text)) == []


def test_the_line_is_the_one_where_the_word_begins() -> None:
    assert [line for line, _, _ in refused_words("one\ntwo at\nthe most\n")] == [2]


def test_the_law_reads_what_it_is_about() -> None:
    paths = {str(path) for path in tracked()}
    assert {"Makefile", ".ci/run", "README.md", "pyproject.toml", "retry/service.py"} <= paths
    assert "tests/laws/words.py" not in paths
    assert any(path.endswith(".html") for path in paths)
    assert any(path.endswith(".sql") for path in paths)


def test_every_exemption_is_used() -> None:
    """What an exemption is for may go, and then the exemption goes as well."""
    used = {
        exemption
        for path in tracked()
        for _, word, _ in refused_words((ROOT / path).read_text())
        for exemption in EXEMPTIONS
        if path.is_relative_to(exemption.place) and is_exempt(path, word)
    }
    assert used == set(EXEMPTIONS)
