"""Addresses and options without their credentials, as people see them; pure.

The stored value is used to connect; everything that people read passes through here.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

MASK = "***"
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]{0,30}:")
_PORT = re.compile(r"[^:@]*(?::[0-9]{0,5})?|\[[^\]@]*\](?::[0-9]{0,5})?")
_AUTHORITY = re.compile(r"[^/?#]*")
_SEPARATORS = re.compile(r"([&;])")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_NAMES = re.compile(
    r"token|secret|passw|passphrase|pwd|credential|signature|authori[sz]|session|jwt|hmac|bearer"
)
_SECRET_WORDS = frozenset({"auth", "code", "cred", "creds", "otp", "pass", "pin", "sas", "sid"})
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RUN = re.compile(r"[A-Za-z0-9]+")
_KEY_LIKE = re.compile(r"[A-Za-z0-9_+/=.~-]{24,}")
_PATH_KEY = re.compile(r"[A-Za-z0-9_-]{24,}")
#: What texts with secrets have in them, in lower case.
_HINTS = re.compile(
    r"a(?:uthorization|kia|sia)|b(?:earer|asic)|c(?:ookie|redential)|gh[pousr]_|p(?:assw|assphrase"
    r"|wd)|s(?:ecret|ignature|ession)|token|key|://|xox|eyj"
)
_KEY_OF_FORTY = re.compile(r"(?<![A-Za-z0-9/+=_.-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_.-])")
#: Letters that equal "s", "i" and "k" where case is ignored, and not in lower case.
_ODD_LETTERS = re.compile("[\u017f\u0130\u0131\u212a]")
#: How many layers of URL encoding are decoded to look for secrets.
_LAYERS = 3
_DEEPEST = 4


def mask_address(address: str, *, _depth: int = 0) -> str:
    """Mask the credentials in ``address``; the rest stays as it is. Never raises.

    Masked are user and password, the values in query and fragment whose names or shapes look
    secret, and random parts of the path. Of what is not an address (a file, an upload) only such a
    query is masked. Masking again changes nothing.
    """
    address = _without_broken_userinfo(address)
    before, hash_, fragment = address.partition("#")
    base, mark, query = before.partition("?")
    shown_query = _mask_pairs(query, _depth)
    shown_fragment = _mask_pairs(fragment, _depth)
    return f"{_mask_base(base)}{mark}{shown_query}{hash_}{shown_fragment}"


def may_hold_secret(text: str) -> bool:
    """Say whether it is worth looking for secrets in ``text``.

    Fifty times as fast as ``scrub``, which tries each kind of secret at each character.
    """
    return (
        _HINTS.search(text.lower()) is not None
        or _KEY_OF_FORTY.search(text) is not None
        or _ODD_LETTERS.search(text) is not None
    )


def mask_values(value: Any) -> Any:
    """Mask the credentials in a JSON value: behind names of secrets, and in addresses."""
    if isinstance(value, Mapping):
        return {
            key: MASK if _names_secret(str(key)) and _has_value(item) else mask_values(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_values(item) for item in value]
    return mask_address(value) if isinstance(value, str) and "//" in value else value


def is_masked(value: Any) -> bool:
    """Say whether a mask is anywhere in a JSON value."""
    if isinstance(value, Mapping):
        return any(is_masked(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(is_masked(item) for item in value)
    return isinstance(value, str) and MASK in value


def restore_values(given: Any, *, stored: Any) -> Any:
    """Replace masked parts of ``given`` by the stored values that ``mask_values`` showed so."""
    if is_masked(given) and given == mask_values(stored):
        return stored
    if isinstance(given, Mapping) and isinstance(stored, Mapping):
        masked = mask_values(stored)
        return {
            key: stored[key]
            if key in stored and is_masked(item) and item == masked[key]
            else restore_values(item, stored=stored.get(key))
            for key, item in given.items()
        }
    return given


def _without_broken_userinfo(address: str) -> str:
    """Mask all up to the last ``@`` where an unescaped slash or the like hides its end."""
    scheme, slashes, rest = address.partition("//")
    if not slashes or (scheme and not _SCHEME.fullmatch(scheme)):
        return address
    authority = _AUTHORITY.match(rest)
    if "@" not in rest or authority is None or "@" in authority[0]:
        return address
    if _PORT.fullmatch(authority[0]):
        return address
    return f"{scheme}//{MASK}@{rest.rpartition('@')[2]}"


def _mask_base(base: str) -> str:
    """Mask what comes before query and fragment."""
    scheme, slashes, rest = base.partition("//")
    if not slashes or (scheme and not _SCHEME.fullmatch(scheme)):
        return base
    authority, slash, path = rest.partition("/")
    if "@" in authority:
        authority = f"{MASK}@{authority.rpartition('@')[2]}"
    elif not _PORT.fullmatch(authority):
        authority = MASK
    return f"{scheme}//{authority}{slash}{_mask_path(path)}"


def _mask_path(path: str) -> str:
    return "/".join(MASK if _is_path_key(part) else part for part in path.split("/"))


def _mask_pairs(text: str, depth: int) -> str:
    parts = _SEPARATORS.split(text)
    return "".join(p if p in {"&", ";"} else _mask_pair(p, depth) for p in parts)


def _mask_pair(pair: str, depth: int) -> str:
    name, sign, value = pair.partition("=")
    plain_name, plain_value = _decode(name), _decode(value)
    if _looks_random(plain_name):
        name = MASK
    if value and (
        _names_secret(plain_name)
        or _looks_random(plain_value)
        or _holds_credentials(plain_value, depth)
    ):
        value = MASK
    if not sign and _holds_credentials(plain_name, depth):
        name = MASK
    return f"{name}{sign}{value}"


def _holds_credentials(value: str, depth: int) -> bool:
    """Say whether an address within the address, such as a redirect, holds credentials."""
    if "//" not in value and "?" not in value:
        return False
    return depth >= _DEEPEST or mask_address(value, _depth=depth + 1) != value


def _decode(text: str) -> str:
    for _ in range(_LAYERS):
        further = unquote_plus(text)
        if further == text:
            break
        text = further
    return text


def _names_secret(name: str) -> bool:
    words = [word for word in re.split(r"[^a-z0-9]+", _CAMEL.sub("_", name).lower()) if word]
    joined = "".join(words)
    return _SECRET_NAMES.search(joined) is not None or any(
        word in _SECRET_WORDS or word.endswith(("key", "keys", "auth")) or word[:3] == "sig"
        for word in words
    )


def _looks_random(value: str) -> bool:
    """Recognise keys and tokens: long and unbroken, of letters and digits; UUIDs as well."""
    if len(value) < 16 or MASK in value:
        return False
    if _UUID.search(value):
        return True
    longest = max(_RUN.findall(value), key=len, default="")
    if len(longest) >= 32 or (len(longest) >= 20 and not longest.isalpha() | longest.isdigit()):
        return True
    return (len(longest) >= 16 and _mixes(longest)) or (
        _KEY_LIKE.fullmatch(value) is not None and _mixes(value)
    )


def _is_path_key(part: str) -> bool:
    """Recognise keys in paths: long, with mixed capitals and digits, unlike names of pages."""
    return _PATH_KEY.fullmatch(part) is not None and _mixes(part)


def _mixes(text: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(sum(map(kind, text)) >= 2 for kind in kinds)


def _has_value(value: Any) -> bool:
    return value not in (None, "", [], {}) and not isinstance(value, bool)
