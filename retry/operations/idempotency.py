"""A key that a caller gives with a request, so that sending it twice starts one operation."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from retry.errors import IdempotencyKeyReused
from retry.models import Operation
from retry.outcomes import Actor


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """``digest`` is of the verb and of all that was asked for with it."""

    key: str
    digest: str

    @classmethod
    def of(cls, key: str, **request: Any) -> Self:
        """``request``: JSON-safe, and equal for what means the same."""
        canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
        return cls(key, hashlib.sha256(canonical.encode()).hexdigest())

    def known_to(self, actor: Actor) -> Operation | None:
        """The operation that ``actor`` started with this key and this request, if any.

        Raises ``IdempotencyKeyReused`` where it was another request. Operations from before
        digests were kept have none, and are known by their key alone.
        """
        found = Operation.objects.filter(actor_label=actor.label, idempotency_key=self.key).first()
        if found is not None and found.idempotency_digest not in {"", self.digest}:
            raise IdempotencyKeyReused(found.pk)
        return found
