"""What operations are called on the screen."""

import pytest

from retry.admin.operations.page import format_left
from retry.admin.operations.words import describe_selection, get_title
from retry.models import Action, Operation, OperationState

ONE = f"1-{'a1' * 16}"
TWO = f"1-{'b2' * 16}"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"status failed, fingerprint {ONE}", "status failed, of one error group"),
        (f"status failed, fingerprint not {ONE}", "status failed, without 1 error group"),
        (
            f"status failed, fingerprint not {ONE} or {TWO}, kind page",
            "status failed, without 2 error groups, kind page",
        ),
        ("status failed, search fingerprint", "status failed, search fingerprint"),
    ],
)
def test_no_fingerprint_is_shown_to_people(words: str, shown: str) -> None:
    assert describe_selection(words) == shown


def test_the_title_of_an_undo_is_a_sentence() -> None:
    operation = Operation(action=Action.UNDO, total=3, state=OperationState.COMPLETED)
    assert get_title(operation) == "Undo the repair of 3 entries"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (0.0, ""), (0.04, ""), (1.0, "1.0 s"), (90.0, "1 min 30 s")]
)
def test_no_time_left_is_not_told(seconds: float | None, shown: str) -> None:
    assert format_left(seconds) == shown
