"""An example for each address that takes something; a test sends them all.

The entries, sources and groups that they name are those of ``tests/api/document.py``.
"""

from collections.abc import Mapping
from typing import Any

_SOME: Mapping[str, Any] = {"filter": {"status": "failed", "source": "news"}}

#: By the name of the address, the body of a POST.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "retry": {"entry_id": 42, "reason": "the page is back"},
    "entries": {
        "kind": "webhook",
        "reason": "order service",
        "entries": [
            {
                "external_id": "order-1001",
                "title": "Order 1001",
                "payload": {"endpoint": "crm", "total": 12.5},
            }
        ],
    },
    "retry-bulk": {**_SOME, "reason": "upstream is back", "rate_per_second": 50, "canary_size": 20},
    "retry-now": {"filter": {"status": "scheduled"}},
    "retry-stop": {"filter": {"status": "scheduled"}, "reason": "the customer is gone"},
    "resync": {"source": "news", "only_if_changed": True},
    "discard": {"entry_ids": [42], "reason": "a duplicate"},
    "restore": {"filter": {"status": "discarded"}},
    "repair": {
        **_SOME,
        "repair": {"patch": [{"op": "replace", "path": "/url", "value": "https://example.com/"}]},
    },
    "undo": {"reason": "the patch was wrong"},
    "edit": {
        "seen": "8a4a7d97db8a784760f3010209a8d8ba0377cdbfd29554595495684273994259",
        "payload": {"url": "https://example.com/new"},
    },
    "pause": {"reason": "deploying"},
    "resume": {"overrule_canary": False},
    "cancel": {},
    "reschedule": {"start_at": "2099-01-31T06:00:00Z"},
    "approve": {"reason": "looked at the preview"},
    "reject": {"reason": "not today"},
    "retry-failed": {},
    "acknowledge": {"reason": "called them"},
    "note": {"text": "They deploy at noon."},
    "mute": {"until": "2099-01-31T06:00:00Z", "above": 100},
    "unmute": {},
    "resolve": {"reason": "fixed in 1.4.2"},
    "reopen": {},
    "prove": {"action": "retry", "canary_size": 20},
    "source-sync": {"dry_run": True},
    "holds": {"kind": "webhook", "upstream": "crm", "reason": "down until 14:00"},
    "lift": {"reason": "it is back"},
    "views": {"name": "Failed pages", "filter": {"status": "failed", "kind": "page"}},
    "view-rename": {"name": "Pages that failed"},
    "view-delete": {},
    "subscriptions": {"events": ["outage_began", "group_new"], "address": "oncall@example.com"},
    "subscription-change": {"events": ["outage_began"], "active": False},
    "subscription-delete": {},
    "subscription-test": {},
}
#: By the name of the address, parameters of a GET.
QUERIES: Mapping[str, Mapping[str, Any]] = {
    "entries": {"status": "failed", "source": "news", "limit": 50},
    "operations": {"state": "completed"},
    "operation": {"wait": 0},
    "items": {"outcome": "failed"},
    "errors": {"state": "open", "kind": "page"},
    "syncs": {"source": "news"},
    "holds": {"standing": "true"},
    "audit": {"verb": "retry", "channel": "api"},
}
#: Calls that take the header Idempotency-Key.
WITH_KEY = frozenset(
    {
        "retry-bulk",
        "retry-now",
        "retry-stop",
        "resync",
        "discard",
        "restore",
        "repair",
        "undo",
        "retry-failed",
        "prove",
    }
)
