"""The account that PostgreSQL runs as when root starts it, and the files it must reach."""

import os
import pwd
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.embedded.errors import EmbeddedError
from tools.embedded.terminal import tell

# In this order. Both exist on nearly every system, so no account has to be created.
UNPRIVILEGED = ("postgres", "nobody")

OPENED = (
    "Made these folders passable (chmod o+x): {}. Started by root, PostgreSQL runs under an "
    "account of its own, which has to reach its files."
)


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """Return the account to run PostgreSQL as; None for the current one.

    The owner of existing data decides, because that account must open them again.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in UNPRIVILEGED:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise EmbeddedError(
        "PostgreSQL does not run as root, and there is neither an account named "
        f"{' nor '.join(UNPRIVILEGED)} to run it as. Run this as a normal user."
    )


def open_way(path: Path, account: Account, *, own: Path | None = None) -> None:
    """Let `account` pass through every folder above `path`, and report the changed ones.

    It may only pass (`chmod o+x`): a closed home still cannot be listed. `own` is a folder that we
    made ourselves and need not report.
    """
    opened = []
    for folder in reversed(path.parents):
        found = folder.stat()
        if not _permits(found, account, stat.S_IXUSR):
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
            opened.append(str(folder))
    if foreign := [folder for folder in opened if folder != str(own)]:
        tell(OPENED.format(", ".join(foreign)))


def open_tree(roots: Iterable[Path], account: Account) -> None:
    """Let `account` read and run files that a strict umask made readable for root alone."""
    for root in roots:
        for folder, _, files in os.walk(root):
            for path in (Path(folder), *(Path(folder, file) for file in files)):
                _open_one(path, account)


def _open_one(path: Path, account: Account) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or _permits(found, account, stat.S_IRUSR):
        return
    run = stat.S_IXOTH if found.st_mode & stat.S_IXUSR else 0
    path.chmod(stat.S_IMODE(found.st_mode) | stat.S_IROTH | run)


def _permits(found: os.stat_result, account: Account, owner_bit: int) -> bool:
    """Tell whether `account` has the permission that `owner_bit` names for the owner."""
    if found.st_uid == account.uid:
        return bool(found.st_mode & owner_bit)
    if found.st_gid == account.gid:
        return bool(found.st_mode & (owner_bit >> 3))
    return bool(found.st_mode & (owner_bit >> 6))
