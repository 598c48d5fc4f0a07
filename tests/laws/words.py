"""Words that nobody says at work, each with what to say instead, and a scan for them."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.laws.tree import ROOT

SUFFIXES = frozenset({".py", ".html", ".md", ".js", ".css", ".sql", ".toml"})
NAMES = frozenset({"Makefile", "run"})

_OBSOLETE = "an everyday word"
#: A pattern of whole words (a space stands for any white space) -> what to say instead.
REFUSED: Mapping[str, str] = {
    "whoever|whomever|whosoever": "name who: the caller, a worker; or 'regardless of who'",
    "nobody": "name who: no worker, no process, no other request; or 'not … by anyone'",
    "somebody": "name who: another worker, another request, a user",
    "anybody|everybody": "name who: any user, every process; or 'anyone', 'everyone'",
    "anew|afresh": "again; 'resynced' of an entry",
    "thereof|therein|thereto|thereon|therefrom|therewith": "repeat the noun: 'of the run', 'in it'",
    "thereby|hereby|whereby": "'so', or a sentence of its own",
    "herein|hereto|hereafter": "'here', 'from now on'",
    "whereof|wherein|whereupon|wherewith": "'of which', 'in which', 'after which'",
    "whence|thence|whither|thither|hither": "'from where', 'from there'",
    "hitherto|henceforth|heretofore|henceforward": "'until now', 'from now on'",
    "lest": "'so that … not'",
    "amiss": "wrong",
    "in its stead|in their stead|in (?:his|her|whose) stead": "instead",
    "to be had": "available; 'cannot be claimed' of an entry",
    "passing faults?": "transient error(s)",
    "goes home|go home|went home": "say what it does: 'the other caller gets None', 'it returns'",
    "the house": "'the project', 'the code'",
    "the bell": "'its RQ job': 'without waiting for its RQ job'",
    "doorways?": "channel",
    "(?:is|are) told": "'gets', 'receives', 'reads'",
    "(?:is|are) asked to go": "'receives a signal to stop'",
    "of its own accord|of their own accord": "automatically, by itself",
    "by and by": "later, gradually",
    "of late": "recently, 'the last minute'",
    "for good and all": "permanently",
    "puts? right|putting right": "fixes, repairs, corrects",
    "it goes on|goes on with|go on with|going on with": "'it continues', 'Resumed.'",
    "(?:come|comes|came) to (?:its|their) end": "ends, has ended",
    "comes by here|come by here": "say what calls it",
    "takes? for dead|taken for dead|took for dead": "'considers dead', 'whose lease expired'",
    "at the most": "at most",
    "at the least": "at least",
    "but for": "'except', 'except for'",
    "save for": "'except for'",
    "so as to": "'to'",
    "upon": "on, when",
    "for want of": "'because there is no …'",
    "for ever": "forever, or how long",
    "mends?|mended|mending": "fix, repair, correct",
    "none of ours": "'not ours', 'foreign'",
    "such as it is|such as they are": "'as it is', or nothing",
    "as it were": "nothing",
    "whilst|amongst|amidst|betwixt|unto|ere|oft": _OBSOLETE,
    "nought|naught|aught|alas|albeit|withal|perchance|mayhap|methinks|forsooth": _OBSOLETE,
    "forthwith|betimes|erstwhile|yonder|verily|behold|hark|hearken": _OBSOLETE,
}
_GAP = r"[\s#*]+"
_PATTERNS = {
    re.compile(words.replace(" ", _GAP), re.IGNORECASE): instead
    for words, instead in REFUSED.items()
}
#: All of them at once, because a pass for each takes seconds.
_ANY = re.compile(rf"\b(?:{'|'.join(pattern.pattern for pattern in _PATTERNS)})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A word that one file, or the files of one folder, may use."""

    place: str
    word: str
    because: str


EXEMPTIONS = (
    Exemption("retry/migrations", "doorway", "the column's name before retry.0009"),
    Exemption("CHANGELOG.md", "doorway", "tells people who upgrade how the column was called"),
    Exemption("tools/embedded/accounts.py", "nobody", "an account of Unix"),
    Exemption("docs/decisions/0011-postgresql-for-root.md", "nobody", "an account of Unix"),
)


def tracked() -> list[Path]:
    """Return the files that the law is about, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return [
        path
        for path in paths
        if (path.suffix in SUFFIXES or path.name in NAMES)
        and path.parts[0] != "tests"
        and (ROOT / path).is_file()
    ]


def refused_words(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the word as it is written, and what to say instead."""
    for match in _ANY.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        instead = next(hint for pattern, hint in _PATTERNS.items() if pattern.fullmatch(match[0]))
        yield line, " ".join(match[0].split()), instead


def is_exempt(path: Path, word: str) -> bool:
    return any(
        path.is_relative_to(exemption.place) and word.lower().rstrip("s") == exemption.word
        for exemption in EXEMPTIONS
    )
