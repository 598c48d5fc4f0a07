"""What goes wrong: the desk refuses, does not answer, or is not done in time."""

from collections.abc import Mapping, Sequence
from typing import Any


class Problem(Exception):
    """The desk refused a request. Compare ``code``, which is stable; the rest is for people.

    ``errors``: one ``{"field", "message"}`` for each mistake, where there are several. ``answer``:
    all that the desk said. ``request_id`` finds the request in the desk's log.
    """

    def __init__(self, *, status: int, answer: Mapping[str, Any], request_id: str = "") -> None:
        self.status = status
        self.answer = answer
        self.code = str(answer.get("code", f"http_{status}"))
        self.title = str(answer.get("title", ""))
        self.detail = str(answer.get("detail", ""))
        self.errors: Sequence[Mapping[str, str]] = answer.get("errors") or ()
        self.request_id = request_id or str(answer.get("request_id", ""))
        super().__init__(self._describe())

    def _describe(self) -> str:
        mistakes = "".join(f"\n  {error['field']}: {error['message']}" for error in self.errors)
        return f"{self.code} ({self.status}): {self.detail or self.title}{mistakes}"


class NoAnswer(Exception):
    """The desk could not be reached, or gave up in the middle; ``__cause__`` says how.

    Whether it did what was asked is unknown, unless asking again is safe: then it was asked again
    before this was raised.
    """


class NotDone(TimeoutError):
    """``wait`` had no more time. ``progress``: how far it was."""

    def __init__(self, progress: Mapping[str, Any]) -> None:
        self.progress = progress
        super().__init__(f"not done in time: {progress.get('state', 'unknown')}")
