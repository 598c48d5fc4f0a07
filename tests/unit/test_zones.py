"""Names of time zones, as browsers send them."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.zones import find_zone


@pytest.mark.parametrize(
    "name",
    ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "Asia/Calcutta"],
)
def test_zones_are_found_by_their_names(name: str) -> None:
    assert find_zone(name) == ZoneInfo(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "Etc/Unknown", "Europe", "Europe/", "Europe/Nowhere", "europe/berlin", "localtime"),
        *("right/UTC", "posix/UTC", "../UTC", "/etc/passwd", "Europe/../UTC", "UTC\0", "UTC\n"),
        *("A" * 51, "zone.tab", "tzdata.zi", "Europe/Bérlin"),
    ],
)
def test_other_texts_are_none(name: str) -> None:
    assert find_zone(name) is None


@given(st.text(max_size=60))
def test_any_text_is_a_zone_or_none(text: str) -> None:
    zone = find_zone(text)
    assert zone is None or zone.key == text
