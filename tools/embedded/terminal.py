"""What the person who started us is told; apart from the output of the command itself."""

import sys


def tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
