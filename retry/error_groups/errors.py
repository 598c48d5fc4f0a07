"""What the verbs of error groups refuse; no HTTP."""

from typing import ClassVar
from uuid import UUID

from entries.phrases import Phrase, phrase
from retry.errors import RetryError


class ErrorGroupNotFound(RetryError):
    code: ClassVar[str] = "error_group_not_found"

    def __init__(self, group_id: int) -> None:
        super().__init__(phrase("There is no error group %(group)s.", group=str(group_id)))
        self.group_id = group_id


class WrongGroupState(RetryError):
    """The group's state does not allow the verb; nothing was changed."""

    code: ClassVar[str] = "wrong_group_state"

    def __init__(self, *, state: str) -> None:
        super().__init__(
            phrase(
                "This error group is %(state)s, so this cannot be done with it.",
                state=Phrase(state),
            )
        )
        self.state = state


class InvalidMute(RetryError):
    """A mute must end: at a time in the future, or above a number of failures."""

    code: ClassVar[str] = "invalid_request"

    def __init__(self) -> None:
        super().__init__(phrase("Say until when, or above how many failures, the group is muted."))


class ProofUnderWay(RetryError):
    """An operation that is to prove the same group has not ended."""

    code: ClassVar[str] = "proof_under_way"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(phrase("There is an operation already that is to prove this error group."))
        self.operation_id = operation_id
