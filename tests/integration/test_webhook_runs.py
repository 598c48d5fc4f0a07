"""Deliveries by a worker: what of them is stored, and that secrets are in none of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.utils import timezone

from entries.models import Attempt, Endpoint, Entry
from retry.service import retry_entries
from retry.worker import execution
from tests.api.calls import Caller, ok
from tests.factories.entries import EndpointFactory, EntryFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT
from tests.support.http import LocalServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(server: LocalServer) -> LocalServer:
    return server


@pytest.fixture
def endpoint(receiver: LocalServer) -> Endpoint:
    return EndpointFactory.create(
        slug="billing", url=receiver.url("/hooks?key=t0psecret-in-the-query")
    )


def delivered(**payload: Any) -> tuple[Entry, Attempt]:
    """An entry after one execution, and that attempt."""
    payload = {"endpoint": "billing", **payload}
    entry = EntryFactory.create(failed=True, kind="webhook", payload=payload)
    retry_entries([entry.pk], actor=SCRIPT)
    entry.refresh_from_db()
    assert entry.run_id is not None
    assert execution.execute(entry.run_id, worker=f"test:{uuid4().hex[:8]}")
    entry.refresh_from_db()
    return entry, entry.attempts.get(number=entry.attempt)


def test_what_was_accepted_is_the_entrys_result(receiver: LocalServer, endpoint: Endpoint) -> None:
    receiver.answer("/hooks", "thanks")
    entry, attempt = delivered(a=1)
    assert entry.status == "succeeded"
    assert entry.result == attempt.result
    assert attempt.result is not None
    assert attempt.result["response"]["body"] == "thanks"


def test_a_refusal_keeps_the_exchange_with_the_attempt(
    receiver: LocalServer, endpoint: Endpoint
) -> None:
    receiver.answer("/hooks", '{"error": "no such invoice"}', status=422)
    entry, attempt = delivered(a=1)
    assert (entry.status, entry.error_class) == ("failed", "RequestRefused")
    assert entry.error_message == f"HTTP 422 from {receiver.url('/hooks')}?…"
    assert attempt.result is not None
    assert attempt.result["response"]["body"] == '{"error": "no such invoice"}'
    assert not attempt.transient
    assert entry.result is None


def test_a_receiver_that_asks_for_time_gets_it(receiver: LocalServer, endpoint: Endpoint) -> None:
    receiver.answer("/hooks", status=503, headers={"Retry-After": "600"})
    before = timezone.now()
    entry, attempt = delivered(a=1)
    assert entry.status == "scheduled"
    assert attempt.transient
    assert entry.next_attempt_at is not None
    wait = entry.next_attempt_at - before
    assert timedelta(seconds=599) < wait < timedelta(seconds=630)


def everything_stored() -> str:
    """Every value of every row but the endpoint's own."""
    return "\n".join(
        repr(row)
        for model in apps.get_models()
        if model is not Endpoint and model._meta.managed
        for row in model._default_manager.values()
    )


@pytest.mark.parametrize("status", [200, 422, 503])
def test_a_receiver_that_repeats_what_it_gets_makes_no_secret_known(
    receiver: LocalServer, endpoint: Endpoint, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    key = endpoint.secret.removeprefix("whsec_")
    receiver.answer("/hooks")
    delivered(a=1)
    signature = receiver.received[0].headers["webhook-signature"]
    echo = f"{endpoint.secret} {key} t0psecret-in-the-query {signature}"
    receiver.answer("/hooks", f"got {echo}", status=status, headers={"X-Echo": echo})
    with caplog.at_level("DEBUG"):
        entry, _ = delivered(a=1)
    api = Caller(UserFactory.create(is_staff=True, is_superuser=True))
    places = [everything_stored(), caplog.text, str(ok(api.get(f"entries/{entry.pk}")))]
    for known in (endpoint.secret, key, "t0psecret", receiver.received[-1].headers):
        secret = known if isinstance(known, str) else known["webhook-signature"]
        assert [place for place in places if secret in place] == []
    assert "got *** *** ***" in places[0]


def test_a_secret_that_cannot_be_used_is_not_in_the_traceback(
    receiver: LocalServer, endpoint: Endpoint
) -> None:
    Endpoint.objects.update(secret="whsec_t0psecret-and-no-base64")
    entry, attempt = delivered(a=1)
    assert "has no usable secret" in entry.error_message
    assert "PermanentError" in attempt.traceback
    assert "t0psecret" not in everything_stored()
