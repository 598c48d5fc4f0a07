"""python -m tools.openapi: write the document of the JSON API."""

import json
import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Its types need the settings.
    from tools.openapi.document import PLACE, build

    text = json.dumps(build(), indent=1, ensure_ascii=False)
    PLACE.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{PLACE} written.\n")


main()
