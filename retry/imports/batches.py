"""Rows of a file, checked and grouped into batches that are compared or stored at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from entries.readers.base import Row, RowError
from entries.sources.ids import MAX_ID, is_storable
from entries.sources.patches import Patch
from entries.sources.sync.batches import BATCH, MAX_CHARACTERS, estimate_size
from retry.imports.patches import RowRefused, parse_row
from retry.imports.seen_ids import SeenIds
from retry.sentences import REPEATED
from retry.submission import find_problems

AnyRow = Row | RowError


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be stored, and why."""

    line: int
    external_id: str
    errors: tuple[str, ...]

    @classmethod
    def from_problems(cls, line: int, external_id: str, problems: Mapping[str, str]) -> "Rejection":
        """Build one from problems by member."""
        errors = tuple(f"{member} {message}" for member, message in problems.items())
        return cls(line, external_id, errors)


@dataclass(slots=True)
class Batch:
    """``patches`` and ``lines`` by id; ``rows`` counts rows of the file, rejected ones included."""

    patches: dict[str, Patch] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    rows: int = 0


def collect_batches(
    rows: Iterable[AnyRow], *, start: int, file_format: str, has_payload: bool, seen: SeenIds | None
) -> Iterator[Batch]:
    """Yield batches of up to 1,000 rows, fewer where these are large, from row ``start`` on.

    Without ``seen`` the ids of the file are known to differ.
    """
    rest = iter(rows)

    def build(chunk: list[AnyRow]) -> Batch:
        return _build_batch(chunk, file_format=file_format, has_payload=has_payload, seen=seen)

    for chunk in _split(islice(rest, start)):
        if seen is not None:
            build(chunk)  # only to see its ids
    for chunk in _split(rest):
        yield build(chunk)


def _split(rows: Iterator[AnyRow]) -> Iterator[list[AnyRow]]:
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


def _build_batch(
    chunk: Iterable[AnyRow], *, file_format: str, has_payload: bool, seen: SeenIds | None
) -> Batch:
    batch = Batch()
    problems: dict[int, dict[str, str]] = {}
    ids: dict[int, str] = {}
    found: dict[int, Patch] = {}
    for row in chunk:
        batch.rows += 1
        if isinstance(row, RowError):
            batch.rejections.append(Rejection(row.line, "", (row.reason,)))
            continue
        try:
            patch = parse_row(row.values, file_format=file_format, has_payload=has_payload)
        except RowRefused as refusal:
            problems[row.line] = {refusal.member: str(refusal)}
            ids[row.line] = refusal.external_id
            continue
        problems[row.line] = find_problems(patch.apply(None))
        ids[row.line], found[row.line] = patch.external_id, patch
    _reject_duplicates(ids, problems, seen)
    for line, external_id in ids.items():
        if problems[line]:
            batch.rejections.append(Rejection.from_problems(line, external_id, problems[line]))
        else:
            batch.patches[external_id], batch.lines[external_id] = found[line], line
    return batch


def _reject_duplicates(
    ids: Mapping[int, str], problems: dict[int, dict[str, str]], seen: SeenIds | None
) -> None:
    """Reject ids that were seen before, in this batch or an earlier one: the first counts."""
    first: dict[str, int] = {}
    for line, external_id in ids.items():
        first.setdefault(external_id, line)
    askable = {
        id_: line
        for id_, line in first.items()
        if id_.strip() and len(id_) <= MAX_ID and is_storable(id_)
    }
    before = first | (seen.add(askable) if seen is not None else {})
    for line, external_id in ids.items():
        if external_id.strip() and before[external_id] != line:
            problems[line]["external_id"] = REPEATED(line=before[external_id])
