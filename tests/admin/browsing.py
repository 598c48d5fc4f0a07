"""Going through the admin as somebody, without a real browser."""

import html
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import User

ENTRIES = "/admin/entries/entry/"


class Browser(Client):
    """A session of ``user``. Its requests keep the messages that were shown last."""

    def __init__(self, user: "User | None" = None, **options: Any) -> None:
        super().__init__(**options)
        if user is not None:
            self.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    def read(self, url: str, *, status: int = 200) -> str:
        """The page at ``url`` as text, quotes and angles still escaped."""
        answer = self.get(url)
        assert answer.status_code == status, (url, answer.status_code)
        return answer.content.decode()

    def select(
        self, ids: Iterable[object], *, action: str = "retry_selected", **fields: str
    ) -> list[str]:
        """Tick entries in the list and press a button; returns the messages that follow."""
        form: dict[str, Any] = {"_selected_action": list(ids), "action": action, "index": "0"}
        return self.press(fields.pop("url", ENTRIES), **form, **fields)

    def press(self, url: str, /, **fields: Any) -> list[str]:
        """POST, follow the redirect, and return the messages shown."""
        answer = self.post(url, fields)
        assert answer.status_code == 302, (url, answer.status_code)
        return self.messages_after(answer)

    def messages_after(self, answer: HttpResponseBase) -> list[str]:
        page = self.get(answer["Location"])
        assert page.status_code == 200
        return [_without_link(str(message)) for message in page.context["messages"]]


def _without_link(message: str) -> str:
    """The sentence before the link to what came of it."""
    return re.sub(r" <a href=[^>]*>[^<]*</a>$", "", message)


def page_of(obj: Any, action: str = "change") -> str:
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{action}", args=[obj.pk])


def text_of(page: str) -> str:
    """What a person reads: without tags, on one line."""
    inline = re.sub(r"</?bdi\b[^>]*>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inline)).split())
