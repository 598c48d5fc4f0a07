"""An endpoint is written down, something is delivered to it, and the page tells how that went."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from entries.models import Endpoint
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.http import LocalServer
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
PERMISSIONS = ("view_endpoint", "add_endpoint", "change_endpoint")


@pytest.fixture
def receiver() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


def work() -> None:
    allowed = {"REDRIVE_ALLOWED_NETWORKS": "127.0.0.1/32"}
    with manage("worker", "default", "--burst", **allowed) as worker:
        assert worker.wait(60) == 0, worker.output


def test_from_the_first_endpoint_to_a_delivery(
    visit: Visit, operator: "User", receiver: LocalServer
) -> None:
    keeper = grant(operator, *(f"entries.{name}" for name in PERMISSIONS))
    page = visit(keeper).page
    page.get_by_role("navigation", name="Desk").get_by_role("link", name="Endpoints").click()
    expect(page.get_by_text("No endpoints yet")).to_be_visible()
    page.get_by_role("link", name="Add an endpoint").click()
    page.get_by_label("Slug:").fill("billing")
    page.get_by_label("URL:").fill(receiver.answer("/hooks", '{"seen": true}', status=422))
    page.get_by_role("button", name="Save", exact=True).click()
    said = page.get_by_text(re.compile(r"whsec_\S{44}"))
    expect(said).to_be_visible()
    assert Endpoint.objects.get().secret in said.inner_text()
    page.reload()
    expect(page.get_by_text("whsec_")).to_have_count(0)

    payload = {"endpoint": "billing", "invoice": "b-7"}
    entry = EntryFactory.create(failed=True, kind="webhook", payload=payload)
    page.goto(f"/admin/entries/entry/{entry.pk}/change/")
    page.get_by_role("button", name="Retry", exact=True).click()
    work()
    expect(page.get_by_text("Request and response")).to_be_visible()
    exchange = page.locator(".exchange").first
    expect(exchange).to_contain_text('"invoice": "b-7"')
    expect(exchange).to_contain_text("HTTP 422")
    expect(exchange).to_contain_text("webhook-signature***")
