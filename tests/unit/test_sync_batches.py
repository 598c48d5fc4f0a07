"""Items put together to batches, and what is left out of them."""

import pytest

from entries.sources.base import Invalid, SourceItem
from entries.sources.items import MAX_REASONS, InvalidCounts
from entries.sources.sync.batches import BATCH, MAX_CHARACTERS, collect_batches, estimate_size


def items(count: int, *, size: int = 1) -> list[SourceItem | Invalid]:
    return [SourceItem(f"{n}", "", {"a": "x" * size}) for n in range(count)]


def test_they_are_of_a_thousand() -> None:
    found = [list(batch.items) for batch in collect_batches(items(2 * BATCH + 1))]
    assert [len(batch) for batch in found] == [BATCH, BATCH, 1]
    assert found[2] == [str(2 * BATCH)]
    assert list(collect_batches([])) == []


def test_large_items_make_small_batches() -> None:
    size = 200_000
    found = [len(batch.items) for batch in collect_batches(items(100, size=size))]
    assert sum(found) == 100
    assert max(found) <= MAX_CHARACTERS // size + 1


def test_no_more_is_read_than_the_batch_at_hand() -> None:
    read = 0

    def endless() -> "object":
        nonlocal read
        while True:
            read += 1
            yield SourceItem(f"{read}", "", {})

    next(collect_batches(endless()))  # type: ignore[arg-type]
    assert read == BATCH


def test_what_is_left_out_says_why_and_keeps_its_id() -> None:
    given: list[SourceItem | Invalid] = [
        Invalid("not a row", "line 1"),
        SourceItem("1", "", {}),
        SourceItem("1", "again", {}),
        SourceItem(" ", "", {}),
        SourceItem("2", "", {"a": object()}),
    ]
    (batch,) = collect_batches(given)
    assert list(batch.items) == ["1"]
    assert batch.unstorable == ["2"], "the source has it all the same"
    assert [invalid.reason for invalid in batch.invalid] == [
        "not a row",
        "the id is repeated; the first item counts",
        "without an id",
        "the payload cannot be stored: object is not JSON",
    ]


@pytest.mark.parametrize(
    ("value", "size"),
    [("", 0), ("abc", 3), (1.5, 8), (None, 8), ({"ab": "c"}, 3), (["a", ["b"]], 2 + 2 + 1)],
)
def test_sizes_are_about_right(value: object, size: int) -> None:
    assert estimate_size(value) == size


class TestLeftOut:
    def test_counts_by_reason_with_the_first_example(self) -> None:
        left = InvalidCounts()
        for line in (7, 9):
            left.add(Invalid("without an id", f"line {line}"))
        left.add(Invalid("too long"), count=1_000)
        assert left.total == 1_002
        assert left.notes == (
            "1,000 items left out: too long",
            "2 items left out: without an id, such as line 7",
        )

    def test_reasons_are_bounded_in_number_and_size(self) -> None:
        left = InvalidCounts()
        for number in range(1_000):
            left.add(Invalid(f"reason {number} " + "x" * 10_000))
        assert len(left.notes) == MAX_REASONS + 1
        assert left.total == 1_000
        assert f"{1_000 - MAX_REASONS} items left out: for other reasons" in left.notes
        assert max(map(len, left.notes)) < 400

    def test_secrets_and_control_characters_are_not_told(self) -> None:
        left = InvalidCounts()
        left.add(Invalid("odd\x00 password=hunter2", "token: hunter2\x1b"))
        assert "hunter2" not in left.notes[0]
        assert "\x00" not in left.notes[0]
