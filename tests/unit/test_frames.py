"""Tracebacks in parts: own code and libraries."""

from retry.error_groups.frames import split_traceback

OWN = '  File "/srv/desk/work.py", line 3, in do\n    call()\n    ^^^^^^\n'
LIBRARY = '  File "/srv/venv/lib/python3.12/site-packages/x/y.py", line 9, in z\n    raise E\n'
STANDARD = '  File "/usr/lib/python3.12/json/decoder.py", line 9, in decode\n    raise E\n'
WINDOWS = '  File "C:\\desk\\Lib\\site-packages\\x.py", line 9, in z\n    raise E\n'
HEAD = "Traceback (most recent call last):\n"


def kinds(text: str) -> list[int]:
    parts = split_traceback(text)
    assert "".join(part.text for part in parts) == text
    return [part.calls for part in parts]


def test_calls_in_libraries_are_counted_together() -> None:
    assert kinds(HEAD + OWN + LIBRARY + STANDARD + OWN + "ValueError: no\n") == [0, 2, 0]


def test_a_message_of_many_lines_is_no_call() -> None:
    message = "ValueError: first\n    indented\n\nlast"
    assert kinds(HEAD + LIBRARY + message) == [0, 1, 0]


def test_what_is_cut_or_foreign_stays_as_it_is() -> None:
    gap = "\n  … 1,000 characters left out …\n"
    assert kinds(HEAD + OWN + gap + LIBRARY) == [0, 1]
    assert kinds("") == []
    assert kinds("no traceback at all") == [0]


def test_other_places_of_libraries() -> None:
    frozen = '  File "<frozen runpy>", line 1, in run\n'
    assert kinds(WINDOWS + frozen) == [2]
    assert kinds('  File "<string>", line 1, in <module>\n') == [0]
