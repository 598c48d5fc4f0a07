"""What the verbs of holds refuse; no HTTP."""

from typing import ClassVar

from entries.phrases import Phrase, phrase
from retry.errors import RetryError


class HoldNotFound(RetryError):
    code: ClassVar[str] = "hold_not_found"

    def __init__(self, hold_id: int) -> None:
        super().__init__(phrase("There is no hold %(hold)s.", hold=str(hold_id)))
        self.hold_id = hold_id


class AlreadyOnHold(RetryError):
    """It is on hold by a person; only automatic holds are taken over."""

    code: ClassVar[str] = "already_on_hold"

    def __init__(self, what: Phrase) -> None:
        """``what``: such as ``kind page``"""
        super().__init__(phrase("%(what)s is already on hold.", what=what.begin_sentence()))


class EndInThePast(RetryError):
    """A hold must not end before it begins."""

    code: ClassVar[str] = "end_in_the_past"

    def __init__(self) -> None:
        super().__init__(phrase("The hold would end in the past."))


class NoUpstreams(RetryError):
    """The kind derives no upstreams for its entries."""

    code: ClassVar[str] = "no_upstreams"

    def __init__(self, kind: str) -> None:
        super().__init__(
            phrase("The kind %(kind)s has no upstreams; put the kind on hold instead.", kind=kind)
        )


class HoldLifted(RetryError):
    """The hold was already lifted."""

    code: ClassVar[str] = "hold_lifted"

    def __init__(self, *, by: str) -> None:
        super().__init__(phrase("The hold was already lifted by %(user)s.", user=by))
