"""Tell me: from the link in the head of every page to the mail, in a real browser."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from retry.dispatcher.loop import Dispatcher
from tests.support import notices
from tests.support.browser import Visitor
from tests.support.counts import append, fail
from tests.support.serving import served
from tools.demo.mailbox import Mailbox
from tools.http_server import listen

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]


@pytest.fixture
def mailbox(tmp_path: Path, settings: "Settings") -> Iterator[str]:
    """The address of the demo's mailbox, to which all mails go."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.REDRIVE_TICK_SECONDS = 0.05
    listener = listen(0)
    with served(Mailbox(tmp_path).answer, listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def tick() -> None:
    cache.clear()
    for _ in range(2):
        notices.tick(Dispatcher())


def test_who_subscribes_finds_an_outage_and_its_end_in_the_mailbox(
    mailbox: str, visit: Visit, chief: "User"
) -> None:
    page = visit(chief).page
    page.get_by_role("link", name="Tell me").click()
    expect(page.get_by_text("You get no notices")).to_be_visible()
    page.get_by_role("link", name="Tell me of…").click()
    page.get_by_label("An outage began").check()
    page.get_by_label("An error that was not known before").check()
    page.get_by_label("Address for mails").fill("chief@example.com")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("mail: chief@example.com")).to_be_visible()

    append(*(fail("it broke") for _ in range(500)))
    tick()
    page.goto(mailbox)
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("heading", name="Outage: 500 failed")).to_be_visible()
    append(*(fail("and broke") for _ in range(500)))
    notices.let_settle()
    tick()
    page.reload()
    expect(page.get_by_role("article")).to_have_count(1)

    notices.let_time_pass(minutes=30)
    tick()
    page.reload()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("heading", name="The outage is over: 1,000 failed")).to_be_visible()


def test_a_test_says_where_it_went_and_what_came_of_it(
    mailbox: str, visit: Visit, chief: "User"
) -> None:
    subscription = notices.subscribe_to(user=chief, address="chief@example.com")
    page = visit(chief).page
    page.goto(f"/admin/retry/subscription/{subscription.pk}/change/")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("A test is on its way to chief@example.com.")).to_be_visible()
    notices.deliver()
    page.goto("/admin/retry/notice/")
    expect(page.get_by_role("row", name="This is a test")).to_contain_text("1 sent")
    page.get_by_role("link", name="This is a test").click()
    expect(page.get_by_text("chief@example.com: sent")).to_be_visible()
    page.goto(mailbox)
    expect(page.get_by_role("article")).to_contain_text("chief asked for it.")
