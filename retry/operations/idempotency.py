"""Idempotency keys: sending the same request twice starts one operation."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from retry.errors import IdempotencyKeyReused
from retry.models import Operation
from retry.outcomes import Actor


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The caller's ``key`` with a ``digest`` of the verb and its whole request."""

    key: str
    digest: str

    @classmethod
    def from_request(cls, key: str, **request: Any) -> Self:
        """``request``: JSON-safe, and equal for requests that mean the same."""
        canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
        return cls(key, hashlib.sha256(canonical.encode()).hexdigest())

    def find_operation(self, actor: Actor) -> Operation | None:
        """Return the operation that ``actor`` started with this key and request, or None.

        Raises ``IdempotencyKeyReused`` where it was another request. Operations older than the
        digest column have none and match by their key alone.
        """
        found = Operation.objects.filter(actor_label=actor.label, idempotency_key=self.key).first()
        if found is not None and found.idempotency_digest not in {"", self.digest}:
            raise IdempotencyKeyReused(found.pk)
        return found
