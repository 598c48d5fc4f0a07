"""The kind "webhook": what a receiver gets, and what is made of its answer."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from standardwebhooks import Webhook, WebhookVerificationError

from entries.endpoints import create_secret
from entries.errors import PermanentError, TransientError
from entries.kinds import registry
from entries.kinds.base import AttemptData, EntryData
from entries.kinds.receivers import RECEIVERS
from entries.kinds.webhook import WebhookKind
from entries.models import Endpoint
from tests.factories.entries import EndpointFactory
from tests.support.http import LocalServer, Received

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

PAYLOAD = {"endpoint": "billing", "invoice": "b-7", "amount": 12.5, "note": "Grüße"}
DISABLED = {"enabled": False}


@pytest.fixture
def receiver(server: LocalServer) -> LocalServer:
    server.answer("/hooks", "thanks")
    return server


@pytest.fixture
def endpoint(receiver: LocalServer) -> Endpoint:
    return EndpointFactory.create(slug="billing", url=receiver.url("/hooks"))


def process(
    payload: dict[str, Any] = PAYLOAD, *, source: str | None = None, number: int = 1, id_: int = 7
) -> dict[str, Any]:
    entry = EntryData(
        id=id_, kind="webhook", source=source, external_id="e", title="E", payload=payload
    )
    attempt = AttemptData(
        number=number, run_id="r", trigger="submit", idempotency_key=f"redrive-entry-{id_}"
    )
    return dict(registry.get("webhook").process(entry, attempt) or {})


def the_id(request: Received) -> str:
    assert request.headers["webhook-id"] == request.headers["idempotency-key"]
    return request.headers["webhook-id"]


class TestWhatArrives:
    def test_the_payload_without_the_endpoints_name(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        process()
        (got,) = receiver.received
        assert got.body == '{"amount":12.5,"invoice":"b-7","note":"Grüße"}'.encode()
        assert got.headers["content-type"] == "application/json"
        assert got.headers["user-agent"] == "Redrive/0.1"
        assert (got.method, got.path) == ("POST", "/hooks")

    def test_the_signature_verifies_with_the_librarys_own_verifier(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        process()
        (got,) = receiver.received
        assert Webhook(endpoint.secret).verify(got.body, dict(got.headers))["invoice"] == "b-7"
        with pytest.raises(WebhookVerificationError):
            Webhook(endpoint.secret).verify(got.body + b" ", dict(got.headers))
        other = EndpointFactory.create()
        with pytest.raises(WebhookVerificationError):
            Webhook(other.secret).verify(got.body, dict(got.headers))

    def test_while_a_secret_is_replaced_both_sign(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        old, new = endpoint.secret, create_secret()
        endpoint.secret, endpoint.previous_secret = new, old
        for minutes, verifies in ((5, True), (-5, False)):
            endpoint.previous_until = timezone.now() + timedelta(minutes=minutes)
            endpoint.save()
            RECEIVERS.forget()
            result = process()
            got = receiver.received[-1]
            assert Webhook(new).verify(got.body, dict(got.headers))
            assert (len(got.headers["webhook-signature"].split()) == 2) == verifies
            with nullcontext() if verifies else pytest.raises(WebhookVerificationError):
                Webhook(old).verify(got.body, dict(got.headers))
            signatures = got.headers["webhook-signature"].split()
            assert not [each for each in (old, new, *signatures) if each[3:] in str(result)]

    def test_a_secret_without_its_key_says_so(
        self, endpoint: Endpoint, settings: "Settings"
    ) -> None:
        settings.REDRIVE_ENCRYPTION_KEYS = ["another"]
        RECEIVERS.forget()
        with pytest.raises(PermanentError, match="REDRIVE_ENCRYPTION_KEYS"):
            process()

    def test_the_id_is_stable_over_attempts_and_follows_the_content(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        process()
        process(dict(reversed(PAYLOAD.items())), number=2)
        process(PAYLOAD | {"amount": 13}, number=3)
        process(id_=8)
        first, again, changed, other = map(the_id, receiver.received)
        assert first == again
        assert first.startswith("redrive-entry-7-")
        assert len({first, changed, other}) == 3
        assert receiver.received[0].body == receiver.received[1].body

    def test_the_source_names_the_endpoint_where_the_payload_does_not(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        assert process({"a": 1}, source="billing")["endpoint"] == "billing"
        assert process({"endpoint": None, "a": 1}, source="billing")["endpoint"] == "billing"
        assert process({"endpoint": "billing"}, source="other")["endpoint"] == "billing"
        assert [request.body for request in receiver.received] == [b'{"a":1}', b'{"a":1}', b"{}"]

    @pytest.mark.parametrize(
        ("changes", "payload", "words"),
        [
            ({}, {"endpoint": "bills"}, 'no endpoint "bills": add it in the admin'),
            ({}, {"endpoint": ""}, 'no endpoint ""'),
            ({}, {"a": 1}, 'the payload has no "endpoint", and there is no source'),
            ({}, PAYLOAD | {"a": float("nan")}, "cannot be written as JSON"),
            (DISABLED, PAYLOAD, '"billing" is disabled: enable it and retry'),
            ({"secret": "whsec_!"}, PAYLOAD, '"billing" has no usable secret'),
            ({"secret": ""}, PAYLOAD, '"billing" has no usable secret'),
            ({"url": "ftp://x/"}, PAYLOAD, "only absolute http and https URLs"),
        ],
    )
    def test_what_cannot_be_sent_is_not_sent(
        self,
        receiver: LocalServer,
        endpoint: Endpoint,
        changes: dict[str, Any],
        payload: dict[str, Any],
        words: str,
    ) -> None:
        Endpoint.objects.update(**changes)
        with pytest.raises(PermanentError, match=words):
            process(payload)
        assert receiver.received == []

    def test_a_private_address_gets_nothing(
        self, receiver: LocalServer, endpoint: Endpoint, settings: Any
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
        with pytest.raises(PermanentError, match="not a public address") as caught:
            process()
        assert receiver.received == []
        assert caught.value.result is not None
        assert caught.value.result["response"] is None


def test_a_delivery_asks_the_database_once(
    endpoint: Endpoint, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        process()


class TestAnswers:
    @pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
    def test_a_2xx_succeeds(self, receiver: LocalServer, endpoint: Endpoint, status: int) -> None:
        receiver.answer("/hooks", status=status)
        assert process()["response"]["status"] == status

    @pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 501, 502, 503, 504, 599])
    def test_some_may_be_tried_again(
        self, receiver: LocalServer, endpoint: Endpoint, status: int
    ) -> None:
        receiver.answer("/hooks", status=status)
        with pytest.raises(TransientError, match=f"^HTTP {status} from http://127") as caught:
            process()
        assert caught.value.result is not None
        assert caught.value.result["response"]["status"] == status
        assert WebhookKind.retry_policy.retries(caught.value)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451])
    def test_others_may_not(self, receiver: LocalServer, endpoint: Endpoint, status: int) -> None:
        receiver.answer("/hooks", status=status)
        with pytest.raises(PermanentError, match=f"^HTTP {status} from http://127") as caught:
            process()
        assert caught.value.result is not None
        assert caught.value.result["response"]["status"] == status

    def test_gone_says_what_that_means(self, receiver: LocalServer, endpoint: Endpoint) -> None:
        receiver.answer("/hooks", status=410)
        with pytest.raises(PermanentError, match="wants no more deliveries"):
            process()

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed(
        self, receiver: LocalServer, endpoint: Endpoint, status: int
    ) -> None:
        receiver.answer("/hooks", status=status, headers={"Location": "/new"})
        receiver.answer("/new")
        with pytest.raises(PermanentError, match="give the endpoint the address it has moved to"):
            process()
        assert [request.path for request in receiver.received] == ["/hooks"]

    def test_a_wait_that_was_asked_for_is_passed_on(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        receiver.answer("/hooks", status=429, headers={"Retry-After": "120"})
        with pytest.raises(TransientError) as caught:
            process()
        assert caught.value.retry_after == 120
        assert WebhookKind.retry_policy.delay(caught.value, used=0) == 120
        date = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
        receiver.answer("/hooks", status=503, headers={"Retry-After": date})
        with pytest.raises(TransientError) as caught:
            process()
        assert caught.value.retry_after == pytest.approx(120, abs=3)

    def test_no_answer_is_transient_and_keeps_the_request(
        self, receiver: LocalServer, endpoint: Endpoint
    ) -> None:
        receiver.answer_raw("/hooks", lambda wire: wire.write(b""))
        with pytest.raises(TransientError) as caught:
            process()
        result = caught.value.result
        assert result is not None
        assert result["response"] is None
        assert result["request"]["url"] == endpoint.url
        assert result["elapsed_ms"] >= 0

    def test_it_gives_up_before_the_worker_would(
        self, receiver: LocalServer, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(WebhookKind, "time_limit", 0.5)
        receiver.answer_raw("/hooks", lambda _wire: receiver.closing.wait(30))
        with pytest.raises(TransientError, match=r"timed out after 0\.45 s sending to http"):
            process()


def test_the_result_says_what_was_asked_and_answered(
    receiver: LocalServer, endpoint: Endpoint
) -> None:
    receiver.answer("/hooks", '{"ok": true}', headers={"Content-Type": "application/json"})
    result = process()
    (got,) = receiver.received
    sent = result["request"]["headers"]
    assert result["endpoint"] == "billing"
    assert result["request"]["method"] == "POST"
    assert result["request"]["url"] == endpoint.url
    assert json.loads(result["request"]["body"]) == json.loads(got.body)
    assert sent["webhook-id"] == sent["Idempotency-Key"] == the_id(got)
    assert sent["webhook-timestamp"] == got.headers["webhook-timestamp"]
    assert sent["webhook-signature"] == "***"
    assert result["response"]["status"] == 200
    assert result["response"]["body"] == '{"ok": true}'
    assert result["response"]["headers"]["content-type"] == "application/json"
    assert set(result) == {"endpoint", "request", "response", "elapsed_ms"}
