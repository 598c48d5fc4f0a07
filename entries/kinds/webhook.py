"""The kind ``webhook``: delivers a payload to an endpoint, signed."""

import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.utils.translation import gettext_noop
from standardwebhooks import Webhook

from entries.encryption import is_unreadable
from entries.endpoints import find_secret_problem
from entries.errors import PermanentError, TransientError
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.receivers import RECEIVERS, Receiver
from entries.kinds.registry import register
from entries.net import Answer, RequestRefused, ServerUnavailable, send
from entries.net.exchange import build_headers, parse_retry_after
from entries.net.record import READ, Record
from entries.net.urls import display_url, parse

#: The key of the payload that names the endpoint; it is never delivered.
ENDPOINT = "endpoint"
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
_COME_BACK_LATER = frozenset({408, 409, 425, 429})
_WHAT_TO_DO = "add it in the admin under Endpoints, or with manage.py add_endpoint, and retry"


@register
class WebhookKind(Kind):
    """Payload: any JSON object, delivered as it is without ``"endpoint"``.

    That key names the endpoint by its slug; where it is not text the source's slug does. Headers
    and signature are those of Standard Webhooks. ``webhook-id`` is the same for every attempt at
    the same content, and another one after the content has changed. The result, on success and on
    failure, has ``endpoint``, ``request``, ``response`` (or None) and ``elapsed_ms``.
    """

    name: ClassVar[str] = "webhook"
    description: ClassVar[str] = gettext_noop("Delivers the payload to an endpoint, signed.")
    time_limit: ClassVar[float] = settings.REDRIVE_WEBHOOK_TIME_LIMIT
    #: Where a worker dies, deliveries under way or not written yet are repeated.
    concurrency: ClassVar[int] = settings.REDRIVE_WEBHOOK_CONCURRENCY
    upstream_concurrency: ClassVar[int] = settings.REDRIVE_WEBHOOK_UPSTREAM_CONCURRENCY
    run_size: ClassVar[int] = 100
    breaker: ClassVar[Breaker] = Breaker.side_by_side(upstream_concurrency)
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(
        limit=settings.REDRIVE_WEBHOOK_AUTOMATIC_RETRIES,
        first_delay=settings.REDRIVE_WEBHOOK_FIRST_DELAY,
    )

    payload_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "endpoint": {
                "type": "string",
                "description": "slug of an endpoint; without it, that of the source",
            }
        },
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        message = build_message(entry, key=attempt.idempotency_key)
        endpoint = find_endpoint(read_slug(entry))
        # The delivery ends a little before the worker's time limit, because its error says more.
        seconds = self.time_limit - min(1.0, self.time_limit / 10)
        return deliver(message, endpoint, seconds=seconds)

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return the endpoint's slug."""
        named = payload.get(ENDPOINT)
        return named if isinstance(named, str) else source or ""

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        named = payload.get(ENDPOINT)
        if named is None or (isinstance(named, str) and _SLUG.fullmatch(named)):
            return []
        return [f'"{ENDPOINT}" must be the slug of an endpoint: letters, digits, "-" and "_"']


@dataclass(frozen=True, slots=True)
class Message:
    """``id`` is what receivers recognise repeated deliveries by."""

    id: str
    body: bytes


def build_message(entry: EntryData, *, key: str) -> Message:
    """Build the message: the same payload always has the same bytes and id."""
    content = {name: value for name, value in entry.payload.items() if name != ENDPOINT}
    try:
        body = _JSON.encode(content).encode()
    except ValueError as error:
        raise PermanentError(f"the payload cannot be written as JSON: {error}") from error
    return Message(f"{key}-{hashlib.sha256(body).hexdigest()[:16]}", body)


def read_slug(entry: EntryData) -> str:
    named = entry.payload.get(ENDPOINT)
    if isinstance(named, str):
        return named
    if entry.source is None:
        raise PermanentError('the payload has no "endpoint", and there is no source to name one')
    return entry.source


def find_endpoint(slug: str) -> Receiver:
    try:
        receiver = RECEIVERS.find(slug)
    except (InterfaceError, InternalError, OperationalError) as error:
        raise TransientError("the endpoint could not be looked up: PostgreSQL is away") from error
    if receiver is None:
        raise PermanentError(f'there is no endpoint "{slug[:80]}": {_WHAT_TO_DO}')
    if not receiver.enabled:
        raise PermanentError(f'the endpoint "{slug}" is disabled: enable it and retry')
    return receiver


def deliver(message: Message, endpoint: Receiver, *, seconds: float) -> dict[str, Any]:
    """Deliver a message; return the result of an accepted delivery.

    Raises ``TransientError`` and ``PermanentError``, whose ``result`` is the exchange where there
    was one. Secrets are in neither.
    """
    target = parse(endpoint.url)
    headers = _sign(message, endpoint)
    signatures = headers["webhook-signature"].split()
    secrets = [secret for secret in (endpoint.secret, endpoint.previous_secret) if secret]
    keys = [secret.partition("_")[2] for secret in secrets]
    words = [each for signature in signatures for each in (signature, signature[3:])]
    record = Record(target, secrets=(*secrets, *keys, *words))
    exchange: dict[str, Any] = {
        "endpoint": endpoint.slug,
        "request": record.request(
            "POST", headers=build_headers(target, headers), body=message.body
        ),
        "response": None,
    }
    started = time.monotonic()
    try:
        answer = send(
            endpoint.url, body=message.body, headers=headers, seconds=seconds, max_bytes=READ
        )
        exchange["response"] = record.response(answer)
        _require_success(answer, target)
    except (TransientError, PermanentError) as error:
        error.result = exchange | {"elapsed_ms": _milliseconds_since(started)}
        raise
    return exchange | {"elapsed_ms": _milliseconds_since(started)}


def _sign(message: Message, endpoint: Receiver) -> dict[str, str]:
    """Return the headers with the signatures over id, time and body, one for each secret."""
    if is_unreadable(endpoint.secret):
        raise PermanentError(
            f'the secret of the endpoint "{endpoint.slug}" is encrypted with a key that is not in '
            "REDRIVE_ENCRYPTION_KEYS: add the key or give the endpoint a new secret, and retry"
        )
    # The library accepts weaker secrets, and its errors could contain a part of the secret.
    if find_secret_problem(endpoint.secret):
        words = f'the endpoint "{endpoint.slug}" has no usable secret: give it a new one and retry'
        raise PermanentError(words)
    now = datetime.now(UTC)
    signing = [endpoint.secret]
    if not find_secret_problem(endpoint.previous_secret):
        signing.append(endpoint.previous_secret)
    text = message.body.decode()
    signatures = [Webhook(secret).sign(message.id, now, text) for secret in signing]
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": message.id,
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _require_success(answer: Answer, target: httpx.URL) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    message = f"HTTP {status} from {display_url(target)}"
    if status >= 500 or status in _COME_BACK_LATER:
        after = parse_retry_after(answer.headers.get("retry-after"), now=datetime.now(UTC))
        raise ServerUnavailable(message, retry_after=after)
    if 300 <= status < 400:
        message += ": redirects are not followed; give the endpoint the address it has moved to"
    elif status == 410:
        message += ": it wants no more deliveries; disable the endpoint if that is meant"
    raise RequestRefused(message)


def _milliseconds_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
