"""What happened, in a word that is the same from run to run."""

from dataclasses import dataclass
from typing import Any

from tests.walk.traces import Trace

DONE = "done"
OK = "ok"
UNCHANGED = "nothing done"
EMPTY = "over nothing"
HOME = "home"
LOGIN = "log in"
REFUSED = "refused"
NOT_FOUND = "not found"
NO_METHOD = "no such method"
ELSEWHERE = "elsewhere"

#: In the order in which the page explains them.
MEANINGS = {
    OK: "the page or the data, as far as they may be seen; nothing is changed",
    DONE: "it was done: something is different in the database",
    EMPTY: "taken, as an operation without an entry in it: there is none for them",
    UNCHANGED: "taken, and nothing is different",
    ELSEWHERE: "sent on to another page, which decides for itself",
    LOGIN: "asked to log in; by the API with 401",
    REFUSED: "403, or the list again without it; nothing is changed, and where it was more than "
    "looking, the audit has a note of it",
    NOT_FOUND: "404: there is no such thing, or none for them",
    HOME: "sent to the front page: there is no such thing for them, as the admin says it; "
    "also after logging out, and for who has logged in already",
    NO_METHOD: "405: the address is for reading only, or for doing only",
}
_BY_STATUS = {401: LOGIN, 403: REFUSED, 404: NOT_FOUND, 405: NO_METHOD}
_LOGIN_PAGE = "/admin/login/?next="


@dataclass(frozen=True, slots=True)
class Visit:
    """One request and what became of it. ``act``: the action of a list that was chosen."""

    name: str
    method: str
    act: str
    status: int
    location: str
    trace: Trace

    @classmethod
    def of(cls, answer: Any, *, name: str, method: str, trace: Trace, act: str = "") -> "Visit":
        location = answer.headers.get("Location", "")
        return cls(name, method, act, answer.status_code, location, trace)

    @property
    def word(self) -> str:
        """Raises ``ValueError`` for what must never be: an error of ours, a change by looking or
        by somebody who was refused, a refusal that the audit knows nothing of.
        """
        word = self._said()
        if self.status == 403 and self.method == "POST" and not self.trace.refused:
            raise ValueError(f"refused, and the audit has no note of it: {self}")
        if not self.trace.changed:
            return word
        if word not in {OK, UNCHANGED, ELSEWHERE, HOME}:
            raise ValueError(f"{word}, and changed all the same: {self}")
        if self.method != "POST":
            raise ValueError(f"looking has changed something: {self}")
        return EMPTY if self.trace.empty else DONE

    def _said(self) -> str:
        if self.status in _BY_STATUS:
            return _BY_STATUS[self.status]
        if self.trace.refused:
            return REFUSED
        if 200 <= self.status < 300:
            return UNCHANGED if self.act else OK
        if self.status in {301, 302}:
            return self._sent()
        raise ValueError(f"no answer for anybody: {self}")

    def _sent(self) -> str:
        if self.location.startswith(_LOGIN_PAGE):
            return LOGIN
        if self.location == "/admin/":
            return HOME
        # What has no name only redirects.
        return UNCHANGED if self.method == "POST" and self.name else ELSEWHERE
