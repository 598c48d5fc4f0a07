"""The ids of the tasks that Redrive sends; pure.

They are UUIDs of version 8 (RFC 9562), which applications fill as they like: as UUIDs they fit
wherever Celery's own do, and their beginning says that they are Redrive's.
"""

import hashlib
from uuid import UUID

#: Celery's own are of version 4, so none of them begins like this.
MARK = "4ed41fe0-ce1e-8"


def derive_id(*, source: str, external_id: str, entry_id: int, cycle: int) -> str:
    """Return the id of the task that is sent for one click; always the same for that click."""
    text = "\0".join([source, external_id, str(entry_id), str(cycle)])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    # The bits of the variant: one of 8, 9, a, b.
    variant = "89ab"[int(digest[3], 16) % 4]
    return str(UUID(f"{MARK}{digest[:3]}-{variant}{digest[4:7]}-{digest[7:19]}"))
