"""Messages to the person at the terminal, separate from the command's own output."""

import sys


def tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
