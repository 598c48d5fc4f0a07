"""What the page of an error group says of its proof and of its mute, and to whom."""

import re
from typing import TYPE_CHECKING

import pytest

from retry import service
from retry.models import Operation
from tests.admin.browsing import Browser, text_of
from tests.conftest import grant
from tests.factories.entries import SourceFactory
from tests.support.error_groups import PERSON, make_group, note_failures
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

    from retry.models import ErrorGroup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keeper(operator: "User") -> Browser:
    """The operator, who may also look at groups and operations."""
    return Browser(grant(operator, "retry.view_errorgroup", "retry.view_operation"))


def url_of(group: "ErrorGroup", verb: str = "change") -> str:
    return f"/admin/retry/errorgroup/{group.pk}/{verb}/"


def test_a_proof_that_awaits_approval_is_not_under_way(
    keeper: Browser, reader: "User", settings: "Settings"
) -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 2
    group = make_group(3)
    form = {"action": "retry", "canary_size": "2", "rate_per_second": "", "reason": "deployed"}
    names = ("retry.view_errorgroup", "retry.manage_errorgroup", "entries.retry_entry")
    assert Browser(grant(reader, *names)).press(url_of(group, "prove"), **form) == [
        "The proof starts when another user has approved it."
    ]
    page = keeper.read(url_of(group))
    assert "The proof awaits approval." in text_of(page).replace(" .", ".")
    assert "under way" not in text_of(page)
    service.approve_operation(Operation.objects.get().pk, actor=PERSON)
    approved = keeper.read(url_of(group))
    assert "Proof under way : 0 of 3 succeeded." in text_of(approved)
    versions = [re.findall(r'[?&;]seen=([^"&]+)', each) for each in (page, approved)]
    assert versions[0] != versions[1], "a poll shows it"


def test_who_does_not_see_all_does_not_see_how_many_have_failed_since_a_mute(
    keeper: Browser,
) -> None:
    group = make_group(1, source=SourceFactory.create(slug="mine"))
    service.mute_group(group.pk, above=50, actor=PERSON)
    note_failures(count=7)  # of sources that are hidden
    with only_source("mine"):
        assert "until more than 50 further" in text_of(keeper.read(url_of(group)))
    assert "until more than 43 further" in text_of(keeper.read(url_of(group)))
