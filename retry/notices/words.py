"""What a notice says, as data from which mails and pages translate it.

The row holds it in English beside that: webhooks send it, and people and programs search it.
"""

from collections.abc import Iterable
from typing import Any

from entries.phrases import Phrase, read_phrase, show
from entries.text import clean_text, one_line
from retry import sentences  # noqa: F401 - a notice quotes what stands in rows
from retry.models import Notice

SUBJECT, LINE, TEXT = 200, 500, 4_000


def as_words(subject: str, lines: Iterable[str]) -> dict[str, Any]:
    """Return subject and lines as JSON."""
    return {"subject": _as_data(subject), "lines": [_as_data(line) for line in lines if line]}


def read_subject(notice: Notice) -> str:
    """Return the subject as it was recorded: a phrase, where the row has the words for it."""
    words = read_phrase(notice.words["subject"]) if notice.words else notice.subject
    return words if isinstance(words, Phrase) else notice.subject


def show_subject(notice: Notice) -> str:
    """Return the subject in the active language, on one line."""
    return write_subject(show(read_subject(notice)))


def show_text(notice: Notice) -> str:
    """Return the text in the active language."""
    if not notice.words:
        return notice.text
    return write_text(show(read_phrase(line)) for line in notice.words["lines"])


def write_subject(subject: str) -> str:
    return one_line(subject, limit=SUBJECT)


def write_text(lines: Iterable[str]) -> str:
    text = "\n".join(one_line(line, limit=LINE) for line in lines if line)
    return clean_text(text, limit=TEXT)


def _as_data(text: str) -> Any:
    return _clean(text.as_data() if isinstance(text, Phrase) else text)


def _clean(data: Any) -> Any:
    """Bound what JSON holds, and leave out what PostgreSQL cannot store."""
    if isinstance(data, dict):
        return {name: _clean(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_clean(value) for value in data]
    return clean_text(data, limit=2 * LINE) if isinstance(data, str) else data
