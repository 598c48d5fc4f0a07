"""The page of an operation: what it says of canaries and ramps, its groups, starts and approval."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from entries.models import Entry
from retry.models import Action, AuditEvent, Operation, Run
from retry.operations import control
from retry.outcomes import Actor, Channel
from tests.admin.browsing import Browser, text_of
from tests.admin.operating import FAILED, OPERATIONS, failed, finish, started, step, url_of
from tests.conftest import grant

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def title_of(page: str) -> str:
    return page.partition("<title>")[2].partition("</title>")[0]


def test_the_title_of_the_tab_shows_how_far_it_is(foreman: Browser) -> None:
    failed(8)
    operation = started(canary_size=2)
    assert title_of(foreman.read(url_of(operation))) == "0 % · Retry 8 | Redrive"
    step()
    polled = foreman.read(url_of(operation, "live"))
    assert title_of(polled) == "25 % · Retry 8 | Redrive"
    finish(operation)
    assert title_of(foreman.read(url_of(operation))) == "Done · Retry 8 | Redrive"


def test_the_line_about_the_canary_goes_when_it_has_failed(foreman: Browser) -> None:
    failed(5, do="fail")
    failed(10)
    operation = started(canary_size=5)
    step()
    assert "The canary goes first" in text_of(foreman.read(url_of(operation, "live")))
    step()
    words = text_of(foreman.read(url_of(operation, "live")))
    assert "The canary goes first" not in words
    assert "Canary 5, failed" in words


def test_a_canary_of_everything_that_failed_is_not_under_way_forever(foreman: Browser) -> None:
    failed(5, do="fail")
    operation = started(canary_size=20)
    finish(operation)
    words = text_of(foreman.read(url_of(operation)))
    assert "Canary 20, failed" in words
    assert "under way" not in words


def test_a_ramp_says_which_step_is_under_way(foreman: Browser) -> None:
    failed(30)
    operation = started(ramp=(2, 10))
    assert "Ramp 2, 10, rest" in text_of(foreman.read(url_of(operation)))
    step()
    step()
    words = text_of(foreman.read(url_of(operation)))
    assert "Step 2 of 2: 10 entries" in words
    assert "Ramp 2, 10, rest: step 2 under way" in words


def test_each_failed_group_has_its_own_verbs(foreman: Browser) -> None:
    failed(3, do="fail")
    operation = started()
    finish(operation)
    [fingerprint] = set(Entry.objects.values_list("fingerprint", flat=True))
    page = foreman.get(url_of(operation))
    [row] = page.context["group_rows"]
    assert [words for words, _ in row.verbs] == ["Retry…", "Resync…"]
    found = foreman.get(row.verbs[0][1]).context["found"]
    assert found.eligible == 3
    assert f"fingerprint={fingerprint}" in row.verbs[0][1]


def test_without_a_permission_a_group_has_no_verb(reader: "User") -> None:
    as_reader = Browser(grant(reader, "retry.view_operation"))
    failed(3, do="fail")
    operation = started()
    finish(operation)
    assert [row.verbs for row in as_reader.get(url_of(operation)).context["group_rows"]] == [[]]


def test_it_is_drawn_over_time_without_styles(foreman: Browser) -> None:
    failed(3)
    failed(2, do="fail")
    operation = started()
    assert "<polygon" not in foreman.read(url_of(operation)), "it has not begun"
    step()
    Run.objects.update(started_at=timezone.now() - timedelta(seconds=30))
    page = foreman.read(url_of(operation, "timeline"))
    assert 'aria-label="3 succeeded, 2 failed, 0 remaining"' in page
    for part in ("succeeded", "failed", "remaining"):
        assert f'class="area-{part}"' in page
    assert "style" not in page
    finish(operation)
    assert "hx-get" not in foreman.read(url_of(operation, "timeline")), "nothing changes any more"


def test_the_start_can_be_moved_until_it_has_begun(foreman: Browser) -> None:
    failed(3)
    operation = started(start_at=timezone.now() + timedelta(hours=1))
    words = text_of(foreman.read(url_of(operation)))
    assert f"Starts {operation.start_at:%Y-%m-%d %H:%M} UTC ( in 59 min )" in words
    foreman.post(url_of(operation, "reschedule"), {"start_at": "2099-01-31T08:00"})
    operation.refresh_from_db()
    assert operation.start_at is not None
    assert timezone.localtime(operation.start_at).isoformat()[:16] == "2099-01-31T08:00"
    answer = foreman.post(url_of(operation, "reschedule"), {"start_at": "soon"})
    assert "Enter a valid date/time" in foreman.messages_after(answer)[-1]
    foreman.post(url_of(operation, "reschedule"), {})
    finish(operation)
    assert "Start now" not in foreman.read(url_of(operation))


# --- approval ------------------------------------------------------------------------------------


@pytest.fixture
def approver(operator: "User") -> Browser:
    powers = ("retry.view_operation", "retry.approve_operation")
    return Browser(grant(operator, *powers))


@pytest.fixture
def awaiting(settings: "Settings") -> Operation:
    settings.REDRIVE_APPROVAL_ABOVE = 2
    failed(3)
    return started()


def test_a_second_person_approves_it_on_its_page(approver: Browser, awaiting: Operation) -> None:
    page = approver.read(url_of(awaiting))
    words = text_of(page)
    assert "awaiting approval" in words
    assert "Exactly these 3 entries run" in words
    assert "Awaiting approval · Retry 3" in title_of(page)
    approver.post(url_of(awaiting, "approve"), {"reason": "agreed"})
    finish(awaiting)
    assert "Approved by" in text_of(approver.read(url_of(awaiting)))
    assert AuditEvent.objects.get(verb="approve").channel == "admin"


def test_rejected_it_says_by_whom_and_why(approver: Browser, awaiting: Operation) -> None:
    approver.post(url_of(awaiting, "reject"), {"reason": "not tonight"})
    words = text_of(approver.read(url_of(awaiting)))
    assert "Rejected: not tonight" in words
    assert "Rejected by" in words
    assert "No entry was touched" in words


def test_who_requested_it_sees_that_another_has_to_decide(
    approver: Browser, operator: "User", settings: "Settings"
) -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 2
    failed(3)
    actor = Actor.from_user(operator, channel=Channel.ADMIN)
    operation = control.start(FAILED, action=Action.RETRY, actor=actor)
    page = approver.read(url_of(operation))
    assert "another user has to approve it" in text_of(page)
    assert url_of(operation, "approve") not in page
    answer = approver.post(url_of(operation, "approve"), {})
    assert "another user has to approve it" in approver.messages_after(answer)[0]
    operation.refresh_from_db()
    assert operation.state == "awaiting_approval"


def test_without_the_permission_it_is_not_offered(foreman: Browser, awaiting: Operation) -> None:
    assert url_of(awaiting, "approve") not in foreman.read(url_of(awaiting))
    assert foreman.post(url_of(awaiting, "approve"), {}).status_code == 403


def test_the_list_finds_what_awaits_approval(foreman: Browser, awaiting: Operation) -> None:
    assert "awaiting approval" in text_of(foreman.read(f"{OPERATIONS}?state=awaiting_approval"))
