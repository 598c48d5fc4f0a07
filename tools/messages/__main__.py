"""Bring all catalogs up to date with the code, and compile them: ``make messages``."""

import sys

from config.languages import LANGUAGES, SOURCE
from tools.messages.catalogs import (
    format_mo,
    format_po,
    is_translated,
    read_known,
    texts,
    update,
)
from tools.messages.django_texts import django_texts
from tools.messages.extraction import PARTS
from tools.messages.scripts import write_scripts


def main() -> int:
    for language in [code for code, _ in LANGUAGES if code != SOURCE]:
        known = read_known(language)
        for part in PARTS:
            catalog = update(part, language=language, known=known, left_out=django_texts())
            path = part.path(language)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(format_po(catalog))
            path.with_suffix(".mo").write_bytes(format_mo(catalog))
            missing = sum(not is_translated(message) for message in texts(catalog))
            sys.stdout.write(f"{path.parent}: {len(catalog)} texts, {missing} to translate\n")
        scripts = write_scripts(language)
        missing = sum(not is_translated(message) for message in texts(scripts))
        sys.stdout.write(f"Django's scripts: {len(scripts)} texts, {missing} to translate\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
