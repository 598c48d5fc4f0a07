"""What the verbs of operations refuse, by the state of the operation; no HTTP."""

from typing import ClassVar
from uuid import UUID

from entries.phrases import phrase
from retry.errors import RetryError


class OperationBegun(RetryError):
    """Its start cannot be moved any more."""

    code: ClassVar[str] = "operation_begun"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase(
                "Operation %(operation)s has begun; pause it instead.",
                operation=str(operation_id),
            )
        )


class AwaitingApproval(RetryError):
    """The operation awaits approval: it can be approved, rejected or cancelled, nothing else."""

    code: ClassVar[str] = "awaiting_approval"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase("Operation %(operation)s awaits approval.", operation=str(operation_id))
        )


class NotAwaitingApproval(RetryError):
    """It needed no approval, or it was approved before."""

    code: ClassVar[str] = "not_awaiting_approval"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase("Operation %(operation)s does not await approval.", operation=str(operation_id))
        )


class OwnOperation(RetryError):
    """Who requested an operation neither approves nor rejects it."""

    code: ClassVar[str] = "own_operation"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase(
                "You requested operation %(operation)s, so another user has to approve it.",
                operation=str(operation_id),
            )
        )


class ApprovedAsItIs(RetryError):
    """What was approved is what runs, so it cannot be changed."""

    code: ClassVar[str] = "approved_as_it_is"

    def __init__(self, operation_id: UUID) -> None:
        super().__init__(
            phrase(
                "Operation %(operation)s was approved as it is; cancel it and start another.",
                operation=str(operation_id),
            )
        )


class TooManyOperations(RetryError):
    """One user has so many open that another one is refused; nothing was started."""

    code: ClassVar[str] = "too_many_operations"

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            phrase(
                "You have %(limit)s operations open. Wait until some have ended, or cancel some.",
                limit=limit,
            )
        )
        self.limit = limit
