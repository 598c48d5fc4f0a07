"""``manage.py retry``: retry every entry that matches a filter."""

from typing import ClassVar

from entries.states import EntryStatus
from retry.management.bulk import BulkCommand
from retry.models import Action


class Command(BulkCommand):
    help = (
        "Retry every entry that matches a filter with its stored input, as one operation. (To "
        "fetch entries from their sources first, use manage.py resync.) With --wait, the exit code "
        "is 0 if all succeeded, 1 if some did not, 2 if the operation was paused. An unknown "
        "source or kind exits with 2 as well."
    )
    action: ClassVar = Action.RETRY
    doing: ClassVar = "Retrying"
    done: ClassVar = "retried"
    default_status: ClassVar = EntryStatus.FAILED.value
