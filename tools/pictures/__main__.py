"""python -m tools.pictures [NAME...]: start a demo, and write docs/pictures/NAME.webp."""

import argparse
import base64
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tools.chromium import ARGUMENTS, NAMES, find_chromium
from tools.demo.options import ROOT, USER, DemoError, Options
from tools.pictures.demo import run_demo
from tools.pictures.pages import PICTURES, Picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "pictures"
MAX_BYTES = 150_000
#: By then the operation under way has got somewhere.
RUN_SECONDS = 75
_SETTLE_MILLISECONDS = 2_000
_QUALITY = 85
_ZONE = "Europe/Berlin"


def main() -> int:
    wanted, chromium = _parse_arguments(), find_chromium()
    if chromium is None:
        names = ", ".join(NAMES)
        print(
            f"No pictures were made: Chromium is not on the PATH ({names}). On Debian: "
            "apt-get install chromium",
            file=sys.stderr,
        )
        return 1
    try:
        with run_demo(os.environ) as options:
            time.sleep(RUN_SECONDS)
            _take_all(wanted, chromium, options)
    except DemoError as error:
        print(f"No pictures were made: {error}", file=sys.stderr)
        return 1
    return 0


def _parse_arguments() -> Sequence[Picture]:
    names = [picture.name for picture in PICTURES]
    parser = argparse.ArgumentParser(prog="python -m tools.pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    wanted = parser.parse_args().names
    if unknown := sorted(set(wanted) - set(names)):
        parser.error(f"there is no picture {', '.join(unknown)}")
    return [picture for picture in PICTURES if not wanted or picture.name in wanted]


def _take_all(pictures: Sequence[Picture], chromium: str, options: Options) -> None:
    # It is installed with the requirements for development only.
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        for picture in pictures:
            _take(browser, picture, options)
        browser.close()


def _take(browser: "Browser", picture: Picture, options: Options) -> None:
    context = browser.new_context(
        base_url=options.site,
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        timezone_id=_ZONE,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(USER)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="The desk").wait_for()
    picture.show(page)
    page.wait_for_timeout(_SETTLE_MILLISECONDS)
    _write(page, FOLDER / f"{picture.name}.webp")
    context.close()


def _write(page: "Page", path: Path) -> None:
    """Write what the window shows. Raises DemoError where the file would be too large."""
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    data = base64.b64decode(answer["data"])
    if len(data) > MAX_BYTES:
        raise DemoError(f"{path.name} would have {len(data):,} bytes, more than {MAX_BYTES:,}.")
    path.write_bytes(data)
    print(f"{path.relative_to(ROOT)}: {len(data):,} bytes")


if __name__ == "__main__":
    sys.exit(main())
