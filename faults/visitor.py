"""Who uses a desk while something happens to it: visits pages, clicks, and pushes entries."""

import threading
import time
from typing import Any

import httpx

#: Of the admin, for staff with all rights.
_PAGES = (
    "/admin/",
    "/admin/entries/entry/",
    "/admin/entries/entry/?status=failed",
    "/admin/entries/entry/{entry}/change/",
    "/admin/entries/source/",
    "/admin/retry/operation/",
    "/admin/retry/run/",
    "/admin/retry/auditevent/",
    "/admin/retry/sync/",
    "/admin/retry/hold/",
)
_CALLS = ("entries", "entries/{entry}", "operations", "operations/{operation}", "status", "holds")


class Visitor:
    """``first``: the first id that it clicks, and the first number of what it pushes."""

    def __init__(self, name: str, bind: str, token: str, *, first: int) -> None:
        self.name = name
        self.requests = 0
        self.slowest = 0.0
        self.wrong: list[str] = []
        self.pushed: set[str] = set()
        self.clicked: set[int] = set()
        self._client = httpx.Client(
            base_url=f"http://{bind}",
            timeout=60,
            # One that the server closes just then would count as a missing answer.
            headers={"Connection": "close"},
        )
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._number = first
        self._operation = ""
        self._rounds = 0
        self._mark = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def start(self) -> None:
        self._log_in()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(60)

    def count_rounds(self) -> int:
        """Return how many rounds have begun since an operation was started last."""
        return self._rounds - self._mark

    def start_operation(self, kind: str) -> str:
        """Retry all that is failed of a kind; return the id of the operation."""
        answer = self._call(
            "POST",
            "/admin/api/retry/bulk",
            json={"filter": {"status": "failed", "kind": kind}, "reason": "upgrade"},
            headers=self._bearer,
        )
        answer.raise_for_status()
        self._operation = str(answer.json()["operation_id"])
        self._mark = self._rounds
        return self._operation

    def _log_in(self) -> None:
        page = "/admin/login/"
        self._client.get(page)
        form = {
            "username": "chief",
            "password": "chief",
            "csrfmiddlewaretoken": self._client.cookies["csrftoken"],
        }
        answer = self._client.post(page, data=form)
        if answer.status_code != httpx.codes.FOUND:
            raise RuntimeError(f"{self.name}: no login: {answer.status_code}")

    def _visit(self) -> None:
        while not self._stopping.is_set():
            self._rounds += 1
            entry = self._click()
            self._push()
            names: dict[str, Any] = {"entry": entry, "operation": self._operation}
            for page in _PAGES:
                self._call("GET", page.format(**names))
            for call in _CALLS:
                if self._operation or "{operation}" not in call:
                    path = f"/admin/api/{call.format(**names)}"
                    self._call("GET", path, headers=self._bearer)

    def _click(self) -> int:
        """Retry the newest failed entry of the kind that no operation takes; return its id."""
        path = "/admin/api/entries?status=failed&kind=upstreamed&limit=1"
        found = self._call("GET", path, headers=self._bearer)
        entries = found.json()["results"] if found.is_success else []
        if not entries:
            return 1
        entry = int(entries[0]["id"])
        answer = self._call(
            "POST", "/admin/api/retry", json={"entry_id": entry}, headers=self._bearer
        )
        if answer.is_success:
            self.clicked.add(entry)
        return entry

    def _push(self) -> None:
        ids = [f"pushed-{self._number + place}" for place in range(5)]
        self._number += len(ids)
        items = [{"external_id": each, "title": each, "payload": {}} for each in ids]
        answer = self._call(
            "POST",
            "/admin/api/entries",
            headers=self._bearer,
            json={"kind": "one", "source": None, "entries": items},
        )
        if answer.is_success:
            self.pushed.update(ids)

    def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        self.requests += 1
        began = time.monotonic()
        answer = self._client.request(method, path, **options)
        took = time.monotonic() - began
        # 409: both clicked the same one.
        if answer.status_code >= 400 and answer.status_code != httpx.codes.CONFLICT:
            self.wrong.append(f"{answer.status_code} {method} {path}: {answer.text[:200]!r}")
        self.slowest = max(self.slowest, took)
        return answer
