"""Who runs a command: the account of the operating system."""

from getpass import getuser


def find_account() -> str:
    """Return the account's name; containers may run under an id that has none."""
    try:
        return getuser()
    except (KeyError, OSError):
        return "unknown account"
