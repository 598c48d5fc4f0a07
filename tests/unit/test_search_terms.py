"""The language of a search: nothing is invalid, and what is written is read as it was meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.filters import EntryFilter
from entries.search_terms import SearchTerms, Term, quote

#: What the language is made of, and what it has to leave alone.
PIECES = [
    "#12", "#", "id:", "error:", "payload.a=", "payload.a.b=", "payload.", "=", '"', "\\", '\\"',
    " ", "  ", "\t", "\u3000", "17", "x", "ä", "%", "_", "[1,2]", "null", "http://a/b?c=d", "\x1f",
]  # fmt: skip
typed = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=9).map("".join)
values = st.text(min_size=1).filter(lambda text: text.strip())


def parse(text: str) -> list[tuple[str, str]]:
    return [
        (term.name, f"{term.path}={term.value}" if term.path else term.value)
        for term in SearchTerms.parse(text).terms
    ]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("HTTP 503 from", [("text", "HTTP 503 from")]),
        ("  two  blanks ", [("text", "two  blanks")]),
        ("#007", [("number", "7")]),
        ("123", [("text", "123")]),
        ("Job #12 failed", [("text", "Job #12 failed")]),
        ("#12 error:x", [("number", "12"), ("error", "x")]),
        ('"#12"', [("text", "#12")]),
        ("id:order-1", [("id", "order-1")]),
        ('error:"timed out" order', [("error", "timed out"), ("text", "order")]),
        ("a error:b c", [("text", "a"), ("error", "b"), ("text", "c")]),
        ('"a b" "c"', [("text", "a b"), ("text", "c")]),
        (r'"say \"hi\" \\ \n"', [("text", r'say "hi" \ \n')]),
        ("payload.customer=17", [("payload", "customer=17")]),
        ('payload.name="Ann Lee"', [("payload", 'name="Ann Lee"')]),
        ('payload.list=["a","b"]', [("payload", 'list=["a","b"]')]),
        # Not qualifiers, so text.
        ("error: timed out", [("text", "error: timed out")]),
        ("payload.a..b=1", [("text", "payload.a..b=1")]),
        ("payload.a=", [("text", "payload.a=")]),
        ("Error:x", [("text", "Error:x")]),
        ("http://a/b", [("text", "http://a/b")]),
        ('an "open quote', [("text", 'an "open quote')]),
        ('"no"blank after', [("text", '"no"blank after')]),
        ("#" + "9" * 30, [("text", "#" + "9" * 30)]),
        ("#١٢", [("text", "#١٢")]),
        # A blank text must not mean every entry.
        (" ", [("text", " ")]),
        ('""', [("text", '""')]),
        ('error:""', [("text", 'error:""')]),
    ],
)  # fmt: skip
def test_what_is_meant(text: str, terms: list[tuple[str, str]]) -> None:
    assert parse(text) == terms


@given(typed | st.text())
def test_everything_means_something_and_is_written_as_it_is_read(text: str) -> None:
    terms = SearchTerms.parse(text)
    assert bool(terms.terms) == bool(text)
    assert SearchTerms.parse(str(terms)) == terms
    assert bool(terms.condition()) == bool(text)
    assert bool(terms.describe()) == bool(text)


@given(values)
def test_quoted_text_is_only_text(text: str) -> None:
    assert SearchTerms.parse(quote(text)).terms == (Term("text", text),)
    assert SearchTerms.parse(f"error:{quote(text)}").terms == (Term("error", text),)
    assert SearchTerms.parse(f"id:{quote(text)}").terms == (Term("id", text),)


@given(st.lists(values, min_size=1, max_size=4), st.data())
def test_a_term_that_is_taken_away_leaves_the_others(texts: list[str], data: Any) -> None:
    names = [data.draw(st.sampled_from(["text", "error", "id"])) for _ in texts]
    written = [
        quote(text) if name == "text" else f"{name}:{quote(text)}"
        for name, text in zip(names, texts, strict=True)
    ]
    terms = SearchTerms.parse(" ".join(written))
    assert [term.value for term in terms.terms] == texts
    gone = data.draw(st.integers(0, len(texts) - 1))
    rest = terms.without(gone)
    assert [term.value for term in rest.terms] == texts[:gone] + texts[gone + 1 :]
    assert SearchTerms.parse(str(rest)) == rest


def test_in_words() -> None:
    words = EntryFilter(q='#7 id:a error:"b c" payload.token=s3cret payload.x=1 d').words()
    assert words == (
        "entry #7, id a, “b c” in the error, payload token = ***, payload x = 1, "
        "“d” in id, title or error"
    )
