"""The rows of a file, checked and put together to what is compared or stored at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from entries.readers.base import Row, RowError
from entries.sources.ids import MAX_ID, is_storable
from entries.sources.sync.batches import BATCH, MAX_CHARACTERS, estimate_size
from entries.sources.sync.patches import Patch
from retry.imports.duplicates import Seen
from retry.imports.patches import RowRefused, patch_in
from retry.submission import find_problems

AnyRow = Row | RowError


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be stored, and why."""

    line: int
    external_id: str
    errors: tuple[str, ...]

    @classmethod
    def because(cls, line: int, external_id: str, problems: Mapping[str, str]) -> "Refused":
        """``problems``: by member."""
        errors = tuple(f"{member} {message}" for member, message in problems.items())
        return cls(line, external_id, errors)


@dataclass(slots=True)
class Batch:
    """``patches`` by their ids, ``lines`` as well; ``rows``: of the file, also those refused."""

    patches: dict[str, Patch] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    rows: int = 0


def batches(
    rows: Iterable[AnyRow], *, start: int, file_format: str, has_payload: bool, seen: Seen | None
) -> Iterator[Batch]:
    """Of up to 1,000 rows each, and of fewer where these are large; from row number ``start`` on.

    Without ``seen`` the ids of the file are known to differ.
    """
    rest = iter(rows)

    def made(chunk: list[AnyRow]) -> Batch:
        return _batch(chunk, file_format=file_format, has_payload=has_payload, seen=seen)

    for chunk in _chunks(islice(rest, start)):
        if seen is not None:
            made(chunk)  # only to see what is there
    for chunk in _chunks(rest):
        yield made(chunk)


def _chunks(rows: Iterator[AnyRow]) -> Iterator[list[AnyRow]]:
    while True:
        chunk: list[AnyRow] = []
        left = MAX_CHARACTERS
        for row in islice(rows, BATCH):
            chunk.append(row)
            left -= estimate_size(dict(row.values)) if isinstance(row, Row) else 0
            if left <= 0:
                break
        if not chunk:
            return
        yield chunk


def _batch(
    chunk: Iterable[AnyRow], *, file_format: str, has_payload: bool, seen: Seen | None
) -> Batch:
    batch = Batch()
    problems: dict[int, dict[str, str]] = {}
    ids: dict[int, str] = {}
    found: dict[int, Patch] = {}
    for row in chunk:
        batch.rows += 1
        if isinstance(row, RowError):
            batch.refused.append(Refused(row.line, "", (row.reason,)))
            continue
        try:
            patch = patch_in(row.values, file_format=file_format, has_payload=has_payload)
        except RowRefused as refusal:
            problems[row.line] = {refusal.member: str(refusal)}
            ids[row.line] = refusal.external_id
            continue
        problems[row.line] = find_problems(patch.applied(None))
        ids[row.line], found[row.line] = patch.external_id, patch
    _note_duplicates(ids, problems, seen)
    for line, external_id in ids.items():
        if problems[line]:
            batch.refused.append(Refused.because(line, external_id, problems[line]))
        else:
            batch.patches[external_id], batch.lines[external_id] = found[line], line
    return batch


def _note_duplicates(
    ids: Mapping[int, str], problems: dict[int, dict[str, str]], seen: Seen | None
) -> None:
    """The first of each id counts, in this batch and in those before."""
    first: dict[str, int] = {}
    for line, external_id in ids.items():
        first.setdefault(external_id, line)
    askable = {
        id_: line
        for id_, line in first.items()
        if id_.strip() and len(id_) <= MAX_ID and is_storable(id_)
    }
    before = first | (seen.see(askable) if seen is not None else {})
    for line, external_id in ids.items():
        if external_id.strip() and before[external_id] != line:
            problems[line]["external_id"] = f"is the same as in line {before[external_id]:,}"
