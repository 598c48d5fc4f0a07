"""The addresses of every page that can be looked at."""

import re

from django.contrib import admin

from tests.admin.walking import _make, addresses
from tests.browser import nasty

#: What tells a page from a fragment or a download.
HTML = re.compile(r"<body")
#: At which no page is wider than its window.
WIDTHS = (360, 1024)
#: Elements that stick out of the window, for whoever has to find them.
STICKING_OUT = """() => {
  const wide = document.scrollingElement.scrollWidth - innerWidth;
  if (wide <= 0) return "";
  const out = [...document.querySelectorAll("body *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.tagName + "#" + e.id + "." + e.className).slice(0, 12);
  return `${wide} too wide: ${out.join(" ")}`;
}"""


def list_pages() -> list[str]:
    """Every page that can be looked at, over the nastiest objects there are."""
    made = nasty.everything()
    for model in admin.site._registry:
        key = f"{model._meta.app_label}_{model._meta.model_name}"
        if key not in made:
            made[key] = model._default_manager.first() or _make(model)
    entry, operation = made["entries_entry"], made["retry_operation"]
    nasty.entry(queued=True, failed=False)
    preview = f"/admin/retry/operation/preview/?action=retry&source={made['entries_source'].slug}"
    listed = [
        f"/admin/entries/entry/?q={nasty.LONG[:200]}",
        f"/admin/entries/entry/?source={nasty.LONG}",
        f"/admin/entries/entry/?payload.{'k' * 150}={'v' * 400}&payload.{'w. ' * 9}w={'=' * 99}",
        f"/admin/entries/entry/?status=failed&source={made['entries_source'].slug}",
        f"/admin/entries/entry/{entry.pk}/change/?_changelist_filters=status%3Dfailed",
        f"/admin/retry/operation/{operation.pk}/change/?outcome=failed",
        f"/admin/entries/entry/outcomes/?of={entry.pk}",
        f"/admin/entries/entry/?status=failed&fingerprint={entry.fingerprint}&failed_within=24h",
        f"{preview}&reason={nasty.LONG[:500]}",
        "/admin/retry/operation/preview/?action=discard&all=true",
    ]
    return [*(address.url for address in addresses(made)), *listed]
