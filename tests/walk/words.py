"""What happened, in a word that is the same from run to run."""

from dataclasses import dataclass
from typing import Any

from tests.walk.traces import Trace

DONE = "done"
OK = "ok"
UNCHANGED = "nothing done"
EMPTY = "empty operation"
HOME = "front page"
LOGIN = "log in"
REFUSED = "refused"
NOT_FOUND = "not found"
NO_METHOD = "no such method"
ELSEWHERE = "elsewhere"

#: In the order in which the page explains them.
MEANINGS = {
    OK: "the page or the data, as far as the caller may see them; nothing is changed",
    DONE: "something is different in the database",
    EMPTY: "accepted, as an operation without entries: the caller may see none",
    UNCHANGED: "accepted, and nothing is different",
    ELSEWHERE: "redirected to another page, which decides for itself",
    LOGIN: "redirected to the login page; 401 from the API",
    REFUSED: "403, or the list again with nothing done; where it was more than reading, the audit "
    "records the refusal",
    NOT_FOUND: "404: it does not exist, or the caller may not see it",
    HOME: "redirected to the front page: the admin's answer for what does not exist or may not be "
    "seen; also after logging out, and from the login page when logged in",
    NO_METHOD: "405: the address is only for reading, or only for acting",
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
