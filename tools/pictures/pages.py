"""Which pages are pictured, and how large."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from playwright.sync_api import Page

Scheme = Literal["light", "dark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """``show`` goes to the page; the picture is what the window then has, and always as large."""

    name: str
    show: Callable[["Page"], object]
    width: int = 1280
    height: int = 800
    scheme: Scheme = "light"


def _show_front(page: "Page") -> None:
    page.goto("/admin/")


def _show_errors(page: "Page") -> None:
    page.goto("/admin/retry/errorgroup/")


def _show_group(page: "Page") -> None:
    _show_front(page)
    page.locator(".groups .group-error a").first.click()


def _show_entries(page: "Page") -> None:
    """The failed ones, some of them ticked."""
    page.goto("/admin/entries/entry/?status=failed")
    for row in (1, 2, 4):
        page.locator("input.action-select").nth(row).check()


def _show_entry(page: "Page") -> None:
    page.goto("/admin/entries/entry/?status=failed&kind=webhook")
    page.locator("#result_list th a").first.click()


def _show_operation(page: "Page") -> None:
    """The one that is under way."""
    _show_front(page)
    page.locator(".under-way a").first.click()


def _show_preview(page: "Page") -> None:
    page.goto("/admin/retry/operation/preview/?action=retry&status=failed&kind=page")


PICTURES = (
    Picture(name="front", show=_show_front, height=960),
    Picture(name="error-group", show=_show_group, height=900, scheme="dark"),
    Picture(name="errors", show=_show_errors, height=620),
    Picture(name="entries", show=_show_entries),
    Picture(name="entry", show=_show_entry, height=900),
    Picture(name="operation", show=_show_operation),
    Picture(name="preview", show=_show_preview, height=900),
    Picture(name="phone", show=_show_front, width=360, scheme="dark"),
)
