"""The demo's webhooks: one receiver refuses them, the other is on hold."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from entries.endpoints import create_secret
from entries.models import Endpoint
from entries.sources.base import SourceItem
from retry import edits, service
from retry.outcomes import Actor

#: The receiver that refuses what it gets, and the one that is on hold.
REFUSES, WAITS = "billing", "crm"
REFUSED, WAITING = 8, 6


def add_endpoints(upstream: str, *, actor: Actor) -> None:
    """Add the receivers that are missing; the upstream plays them."""
    for slug in (REFUSES, WAITS):
        if Endpoint.objects.filter(slug=slug).exists():
            continue
        with transaction.atomic():
            url, secret = f"{upstream}/hooks/{slug}", create_secret()
            endpoint = Endpoint.objects.create(slug=slug, name=slug, url=url, secret=secret)
            edits.record_addition(endpoint, actor=actor)


def submit(*, actor: Actor) -> None:
    """Put one receiver on hold for some hours, and push orders to both."""
    ends_at = timezone.now() + timedelta(hours=6)
    reason = "The CRM moves to its new server"
    service.hold_kind("webhook", WAITS, actor=actor, reason=reason, ends_at=ends_at)
    orders = [
        *(_build_order(number, REFUSES) for number in range(1001, 1001 + REFUSED)),
        *(_build_order(number, WAITS) for number in range(2001, 2001 + WAITING)),
    ]
    service.submit(orders, kind="webhook", actor=actor, reason="Orders of this morning")


def _build_order(number: int, endpoint: str) -> SourceItem:
    payload = {
        "endpoint": endpoint,
        "event": "order.paid",
        "order": number,
        "customer": 17 + number % 3,
        "total": f"{number % 90 + 9}.90",
        "currency": "EUR",
    }
    return SourceItem(f"order-{number}-{endpoint}", f"Order {number} to {endpoint}", payload)
