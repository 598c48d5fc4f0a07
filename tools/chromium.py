"""Chromium as the system has it; none is ever downloaded."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_chromium() -> str | None:
    """Return where Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)
