"""Errors before the command runs; each message says what to do."""

from pathlib import Path


class EmbeddedError(Exception):
    """The servers cannot be started or used. The text is for the person at the terminal."""


class FolderInUseError(EmbeddedError):
    """Another running process has a server in this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use by another command that is still running.")
        self.folder = folder


class ServerFailedError(EmbeddedError):
    """A server ended or did not answer; the text has the end of its log."""
