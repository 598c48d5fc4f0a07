"""Lists of people and log-ins take any lookup of Django's; none of them is a 500."""

from typing import TYPE_CHECKING

import pytest

from tests.admin.browsing import Browser, page_of
from tests.admin.test_people import form

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["auth/user/?date_joined", "axes/accessattempt/?attempt_time"])
@pytest.mark.parametrize(
    "value",
    [
        "__gte=2026-01-01T00:00:00%2B16:00",
        "__gte=0001-01-01T00:00:00%2B23:00",
        "__lt=99999-01-01",
        "__lt=2026-01-01T24:00:00",
        "__year=99999",
        "__year=0&month=13",
        "=%00",
        "__gte=1769860800",
        "__gte=yesterday",
    ],
)
def test_times_in_an_address(chief: "User", path: str, value: str) -> None:
    answer = Browser(chief, raise_request_exception=False).get(f"/admin/{path}{value}")
    assert answer.status_code < 500


@pytest.mark.parametrize(
    "query", ["auth/user/?username=%00", "auth/user/?q=%00", "auth/group/?q=%00"]
)
def test_text_in_an_address(chief: "User", query: str) -> None:
    answer = Browser(chief, raise_request_exception=False).get(f"/admin/{query}")
    assert answer.status_code < 500


@pytest.mark.parametrize("day", ["0000-01-01", "0001-01-01", "99999-01-01", "2026-02-30", "1"])
@pytest.mark.parametrize("time", ["24:00:00", "23:59:60", "12:00:00+16:00", "12:00:00"])
def test_times_in_a_form(chief: "User", day: str, time: str) -> None:
    changes = {"date_joined_0": day, "date_joined_1": time, "is_superuser": "on"}
    browser = Browser(chief, raise_request_exception=False)
    assert browser.post(page_of(chief), form(chief, **changes)).status_code in {200, 302}
