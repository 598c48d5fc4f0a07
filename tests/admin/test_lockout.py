"""Failed logins are counted for the account, for the address, and for both together."""

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def axes(settings: "Settings") -> None:
    settings.AXES_ENABLED = True


@pytest.fixture(autouse=True)
def anna() -> Any:
    user = UserFactory.create(username="anna", is_staff=True)
    user.set_password(PASSWORD)
    user.save()
    return user


def login(username: str, password: str, *, address: str, **said: Any) -> int:
    answer = Client().post(
        LOGIN, {"username": username, "password": password}, REMOTE_ADDR=address, **said
    )
    return int(answer.status_code)


def test_ten_for_an_account_from_one_address() -> None:
    for _ in range(9):
        assert login("anna", "wrong", address="203.0.113.7") == 200
    assert login("anna", "wrong", address="203.0.113.7") == 429
    assert login("anna", PASSWORD, address="203.0.113.7") == 429
    assert login("anna", PASSWORD, address="203.0.113.8") == 302, "others may still come in"


def test_fifty_from_one_address_whatever_the_account() -> None:
    answers = [login(f"user-{n}", "wrong", address="203.0.113.7") for n in range(50)]
    assert answers == [200] * 49 + [429]
    assert login("anna", PASSWORD, address="203.0.113.7") == 429
    assert login("anna", PASSWORD, address="203.0.113.8") == 302


def test_fifty_for_an_account_whatever_the_address() -> None:
    answers = [login("anna", "wrong", address=f"203.0.113.{n}") for n in range(50)]
    assert answers == [200] * 49 + [429]
    assert login("anna", PASSWORD, address="198.51.100.1") == 429


def test_a_header_makes_nobody_somebody_else() -> None:
    said = [{"HTTP_X_FORWARDED_FOR": f"198.51.100.{n}"} for n in range(11)]
    answers = [login("anna", "wrong", address="203.0.113.7", **each) for each in said]
    assert answers == [200] * 9 + [429] * 2


def test_a_login_of_ones_own_does_not_wipe_out_what_was_tried_on_others() -> None:
    for n in range(49):
        login(f"user-{n}", "wrong", address="203.0.113.7")
    assert login("anna", PASSWORD, address="203.0.113.7") == 302
    assert login("user-50", "wrong", address="203.0.113.7") == 429
