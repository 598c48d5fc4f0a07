"""Who is let in: staff, by a session with CSRF or by a token."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.middleware.csrf import get_token
from django.test import RequestFactory
from django.utils import timezone

from entries.models import Entry
from retry.access import tokens
from retry.access.tokens import Terms
from retry.models import ApiToken, AuditEvent
from retry.outcomes import Actor
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.factories.users import UserFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
ADMIN = Actor.command("test")


@pytest.fixture
def entry() -> Entry:
    return EntryFactory.create(failed=True)


def with_csrf(caller: Caller) -> str:
    """A token, with the cookie that goes with it in the caller's browser."""
    request = RequestFactory().get("/")
    token = get_token(request)
    caller.client.cookies[settings.CSRF_COOKIE_NAME] = request.META["CSRF_COOKIE"]
    return token


class TestSession:
    def test_without_a_csrf_token(self, operator: "User", entry: Entry) -> None:
        answer = Caller(operator, csrf=True).post("retry", {"entry_id": entry.id})
        assert "cookie" in problem(answer, 403, "csrf_failed")["detail"].lower()
        entry.refresh_from_db()
        assert entry.status == "failed"
        assert not AuditEvent.objects.exists()

    def test_with_one(self, operator: "User", entry: Entry) -> None:
        caller = Caller(operator, csrf=True)
        caller.headers = {"X-CSRFToken": with_csrf(caller)}
        ok(caller.post("retry", {"entry_id": entry.id}), 202)

    def test_with_the_wrong_one(self, operator: "User", entry: Entry) -> None:
        caller = Caller(operator, csrf=True)
        with_csrf(caller)
        caller.headers = {"X-CSRFToken": "x" * 64}
        problem(caller.post("retry", {"entry_id": entry.id}), 403, "csrf_failed")

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver:81"])
    def test_from_another_site(self, operator: "User", entry: Entry, origin: str) -> None:
        caller = Caller(operator, csrf=True)
        caller.headers = {"X-CSRFToken": with_csrf(caller), "Origin": origin}
        problem(caller.post("retry", {"entry_id": entry.id}), 403, "csrf_failed")

    def test_over_https_the_referer_counts(self, operator: "User", entry: Entry) -> None:
        caller = Caller(operator, csrf=True)
        caller.headers = {"X-CSRFToken": with_csrf(caller)}
        body = b'{"entry_id": %d}' % entry.id
        answer = caller.send("POST", "retry", body, secure=True)
        assert "Referer" in problem(answer, 403, "csrf_failed")["detail"]
        home = {"Referer": "https://testserver/admin/"}
        ok(caller.send("POST", "retry", body, headers=home, secure=True), 202)

    def test_a_form_is_not_read_for_a_csrf_token(self, operator: "User") -> None:
        caller = Caller(operator, csrf=True)
        token = with_csrf(caller)
        form = f"csrfmiddlewaretoken={token}&entry_id=1".encode()
        answer = caller.send(
            "POST", "retry", form, content_type="application/x-www-form-urlencoded"
        )
        problem(answer, 415, "unsupported_media_type")

    def test_reading_needs_no_csrf_token(self, operator: "User", entry: Entry) -> None:
        ok(Caller(operator, csrf=True).get(f"entries/{entry.id}"))

    def test_the_wrong_method_is_told_so_even_without_a_csrf_token(self, operator: "User") -> None:
        caller = Caller(operator, csrf=True)
        answer = caller.send("DELETE", "retry")
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, POST"

    def test_one_that_ended(self, operator: "User") -> None:
        caller = Caller(operator)
        operator.set_password("another")
        operator.save()
        problem(caller.get("status"), 401, "not_authenticated")

    def test_a_cookie_that_is_nonsense(self, anonymous: Caller) -> None:
        anonymous.client.cookies[settings.SESSION_COOKIE_NAME] = "'; drop table"
        problem(anonymous.get("status"), 401, "not_authenticated")

    def test_inactive(self, operator: "User", entry: Entry) -> None:
        caller = Caller(operator)
        operator.is_active = False
        operator.save()
        problem(caller.post("retry", {"entry_id": entry.id}), 401, "not_authenticated")

    def test_no_staff_with_every_permission(self, entry: Entry) -> None:
        user = grant(UserFactory.create(), "entries.view_entry", "entries.retry_entry")
        caller = Caller(user)
        problem(caller.get("entries"), 403, "permission_denied")
        problem(caller.post("retry", {"entry_id": entry.id}), 403, "permission_denied")

    def test_nobody_is_told_so_before_anything_about_csrf(self, db: None) -> None:
        answer = Caller(csrf=True).post("retry", {"entry_id": 1})
        problem(answer, 401, "not_authenticated")

    def test_nobody_may_not_make_us_read_a_body(self, db: None) -> None:
        problem(Caller(csrf=True).send("POST", "retry", b"x" * 9999), 401, "not_authenticated")

    def test_a_superuser_may(self, entry: Entry) -> None:
        user = UserFactory.create(is_staff=True, is_superuser=True)
        ok(Caller(user).post("retry", {"entry_id": entry.id}), 202)


@pytest.mark.parametrize("by_token", [True, False])
def test_the_log_names_who_called(
    operator: "User",
    by_token: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = tokens.create(operator, name="x", actor=ADMIN) if by_token else ""
    ok(Caller(None if by_token else operator, token=token).get("entries"))
    [line] = [str(r.msg) for r in caplog.records if "request_finished" in str(r.msg)]
    assert f"'user_id': {operator.pk}" in line
    assert token not in line or not token


class TestToken:
    def test_acts_as_its_user(self, operator: "User", entry: Entry) -> None:
        token = tokens.create(operator, name="nightly", actor=ADMIN)
        ok(Caller(token=token, csrf=True).post("retry", {"entry_id": entry.id}), 202)
        assert AuditEvent.objects.get(verb="retry").actor == operator

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_by_any_spelling_of_the_scheme(self, operator: "User", scheme: str) -> None:
        token = tokens.create(operator, name="nightly", actor=ADMIN)
        caller = Caller()
        caller.headers = {"Authorization": f"{scheme}  {token} "}
        ok(caller.get("entries"))

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Bearer rdv_unknown", "Bearer \xfc", "bearer a b c"]
    )
    def test_one_that_is_not_known(self, operator: "User", header: str) -> None:
        """Also in a browser that has a session: who shows a token means it."""
        caller = Caller(operator)
        caller.headers = {"Authorization": header}
        answer = caller.get("entries")
        problem(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="redrive"'

    def test_another_scheme_leaves_the_session_alone(self, operator: "User") -> None:
        """A proxy that asks for a password passes its header on."""
        caller = Caller(operator)
        caller.headers = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}
        ok(caller.get("entries"))
        nobody = Caller()
        nobody.headers = caller.headers
        problem(nobody.get("entries"), 401, "not_authenticated")

    def test_expired(self, operator: "User") -> None:
        token = tokens.create(operator, name="old", actor=ADMIN)
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        problem(Caller(token=token).get("entries"), 401, "not_authenticated")

    def test_not_yet_expired(self, operator: "User") -> None:
        soon = timezone.now() + timedelta(minutes=1)
        token = tokens.create(operator, name="new", actor=ADMIN, terms=Terms(expires_at=soon))
        ok(Caller(token=token).get("entries"))

    def test_of_somebody_inactive(self, operator: "User") -> None:
        token = tokens.create(operator, name="left", actor=ADMIN)
        operator.is_active = False
        operator.save()
        problem(Caller(token=token).get("entries"), 401, "not_authenticated")

    def test_of_somebody_who_is_no_longer_staff(self, operator: "User") -> None:
        token = tokens.create(operator, name="moved", actor=ADMIN)
        operator.is_staff = False
        operator.save()
        problem(Caller(token=token).get("entries"), 403, "permission_denied")

    def test_has_no_more_permissions_than_its_user(self, reader: "User", entry: Entry) -> None:
        token = tokens.create(reader, name="reads", actor=ADMIN)
        caller = Caller(token=token)
        ok(caller.get("entries"))
        problem(caller.post("retry", {"entry_id": entry.id}), 403, "permission_denied")

    def test_counts_more_than_the_session_beside_it(
        self, operator: "User", reader: "User", entry: Entry
    ) -> None:
        caller = Caller(operator, token=tokens.create(reader, name="reads", actor=ADMIN))
        problem(caller.post("retry", {"entry_id": entry.id}), 403, "permission_denied")

    def test_ends_when_it_is_deleted(self, operator: "User") -> None:
        caller = Caller(token=tokens.create(operator, name="short", actor=ADMIN))
        ok(caller.get("entries"))
        ApiToken.objects.all().delete()
        problem(caller.get("entries"), 401, "not_authenticated")
