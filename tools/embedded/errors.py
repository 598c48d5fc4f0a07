"""What can go wrong before the command runs; each message says what to do about it."""

from pathlib import Path


class EmbeddedError(Exception):
    """The servers cannot be provided. The text is meant for the person at the terminal."""


class FolderInUseError(EmbeddedError):
    """Another living process keeps a server in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use by another command that is still running.")
        self.folder = folder


class ServerFailedError(EmbeddedError):
    """A server ended or stayed silent when it should have answered; carries the end of its log."""
