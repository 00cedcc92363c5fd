"""Which texts are keys, and how to find the key in a text that holds more than it."""

from __future__ import annotations

from collections.abc import Iterable
import re
from typing import Final

from .errors import InvalidKeyError, KeyKind

# What OpenAI's keys of each kind start with; the tokens of gateways have any form.
KEY_PREFIXES: Final = {KeyKind.SESSION: "sess-", KeyKind.ADMIN: "sk-admin-"}

# A request that was copied with all its cookies is far shorter.
_MAX_TEXT: Final = 500_000

_KEY = re.compile(r"[!-~]{1,4096}")
_HEADER = re.compile(r"(?:authorization\s*:\s*)?(?:bearer(?:\s+|$))?", re.IGNORECASE)

# In a copied request a key ends with its string, its line or the text, or before the
# next header. Shells escape strings with \, ^ or `.
_END = r"""(?=["'`^\\,;]|\s*\Z|\s*[\r\n]|\s++[\w-]++\s*:)"""
_PREFIXED = {
    kind: re.compile(rf"(?<![\w.~+/-]){prefix}[\w.~+/-]++=*+{_END}", re.ASCII)
    for kind, prefix in KEY_PREFIXES.items()
}
_TOKEN = rf"""((?:(?!["'`^\\,;])[!-~])++){_END}"""
_BEARER = re.compile(rf"(?<![\w-])bearer\s++{_TOKEN}", re.IGNORECASE | re.ASCII)
# Name and value of the header: on one line, or as two strings of an object
_AUTHORIZATION = re.compile(
    rf"(?<![\w-])authorization\W{{1,80}}(?:value\W{{1,80}})?bearer\s++{_TOKEN}",
    re.IGNORECASE | re.ASCII,
)


def checked_key(key: str) -> str:
    """Return a key as it is; raises `InvalidKeyError` if no header can hold it."""
    if not _KEY.fullmatch(key):
        raise InvalidKeyError("Not a valid key")
    return key


def extract_key(text: str, kind: KeyKind) -> str:
    """Return the key in a text: a key alone, a header, or a request as a browser copies it.

    Browsers copy requests as commands of several shells, as a call of `fetch`, and as
    JSON. A key of the kind's own form is preferred, then whatever follows `Bearer`; if
    there are several, the one in the `Authorization` header. Raises `InvalidKeyError`
    if there is no key in the text, or no telling which.
    """
    text = text.strip()
    if len(text) > _MAX_TEXT:
        raise InvalidKeyError("Too long for a key")
    bare = _HEADER.sub("", _unquoted(text), count=1)
    if bare.lower() == "bearer":
        raise InvalidKeyError("No key in the text")
    if not re.search(r"[\s\"']", bare):
        return checked_key(bare)
    authorization = _found(_AUTHORIZATION, text)
    bearer = _found(_BEARER, text)
    quoted = '"' in text or "'" in text
    # Without quotes or a header, a space is a mistake: part of the key would be lost.
    prefixed = _found(_PREFIXED[kind], text) if quoted or bearer else set()
    fitting = {key for key in authorization if key.startswith(KEY_PREFIXES[kind])}
    for candidates in (fitting, prefixed, authorization, bearer):
        if len(candidates) == 1:
            return checked_key(candidates.pop())
        if candidates:
            raise InvalidKeyError("Several keys")
    raise InvalidKeyError("No key in the text")


def _unquoted(text: str) -> str:
    """Return a text without the quotation marks around it."""
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if is_quoted else text


def _found(pattern: re.Pattern[str], text: str) -> set[str]:
    """Return what a pattern finds, except for the word itself that comes before a key.

    A key that the next header's name is glued to is none, either.
    """
    found: Iterable[str] = pattern.findall(text)
    return {key for key in found if not key.endswith(":") and key.lower() != "bearer"}
