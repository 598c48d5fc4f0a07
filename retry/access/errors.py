"""What is refused about tokens."""

from typing import ClassVar

from entries.phrases import phrase
from retry.errors import RetryError


class TokenNotFound(RetryError):
    code: ClassVar[str] = "token_not_found"

    def __init__(self, token_id: int) -> None:
        super().__init__(phrase("There is no token %(token)s.", token=str(token_id)))
        self.token_id = token_id


class TokenRefused(RetryError):
    """A token cannot be made or changed so. ``field``: of the form, empty for none."""

    code: ClassVar[str] = "token_refused"

    def __init__(self, why: str, *, field: str = "") -> None:
        super().__init__(why)
        self.field = field
