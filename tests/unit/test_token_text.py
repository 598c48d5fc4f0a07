"""What a token looks like, for secret scanners and for the desk."""

import pytest

from retry.access.token_text import PATTERN, make_token, may_be_token


def test_a_new_one_is_known_by_its_pattern() -> None:
    made = {make_token() for _ in range(200)}
    assert len(made) == 200
    assert all(PATTERN.fullmatch(token) and may_be_token(token) for token in made)
    assert f"TOKEN={make_token()}\n" != f"TOKEN={make_token()}\n"


@pytest.mark.parametrize("position", [8, 20, 47, 48, 53])
def test_a_letter_that_is_another_is_noticed(position: int) -> None:
    token = make_token()
    other = "a" if token[position] != "a" else "b"
    assert not may_be_token(token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize("cut", [0, 8, 30, 53])
def test_one_that_is_cut_off_is_none(cut: int) -> None:
    assert not may_be_token(make_token()[:cut])
    assert not may_be_token(f"{make_token()}x")


def test_one_from_before_there_were_checksums_may_be_one() -> None:
    assert may_be_token("rdv_CZ0uS3-_sample")
