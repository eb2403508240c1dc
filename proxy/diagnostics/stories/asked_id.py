"""The forms under which an ID that somebody typed, pasted or read out may stand in a record."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

LEAST_BEGINNING: Final = 8
"""Characters of the shortest beginning of an ID that is looked for."""
LONGEST_ID: Final = 1024
"""Characters of the longest one that is kept of anybody."""

_LABEL: Final = re.compile(
    r"(?:x[-_\s])?(?:reference|request|trace|ref|id)[-_\s]*(?:id|no\.?|number)?(?:\s*[:=#]\s*|\s+)",
    re.IGNORECASE,
)
_AROUND: Final = " \t\r\n\u00a0\"'`<>()[]{},.;:#\u201c\u201d\u201e"
"""What stands around an ID in a sentence."""
_MOST_WORDS: Final = 8
"""Words of a sentence that are looked at."""
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def forms_of(asked: str) -> tuple[str, ...]:
    """What may be meant, the ID as it was given first: without its label, quotes and blanks, in
    lower case, the trace of a `traceparent`, and what in a sentence or an address may be one."""
    bare = _LABEL.sub("", asked.strip(), count=1).strip(_AROUND)
    joined = "".join(bare.split())
    words = list(_words(asked))
    forms = [asked, asked.strip(), *words, *map(str.lower, words), bare, joined, joined.lower()]
    if trace := _TRACEPARENT.fullmatch(joined.lower()):
        forms.append(trace[1])
    return tuple(dict.fromkeys(form for form in forms if form)) or (asked,)


def _words(asked: str) -> Iterator[str]:
    """Words with a digit that are long enough, and the ends of addresses of our pages."""
    for word in asked.split(maxsplit=_MOST_WORDS)[:_MOST_WORDS]:
        bare = word.strip(_AROUND)
        if "://" in bare:
            bare = unquote(bare.partition("?")[0].rstrip("/").rpartition("/")[2])
        if len(bare) >= LEAST_BEGINNING and any(map(str.isdigit, bare)):
            yield bare


def beginnings_of(asked: str) -> tuple[str, ...]:
    """The forms that are long enough to be looked for as the beginning of an ID."""
    return tuple(
        form for form in forms_of(asked) if LEAST_BEGINNING <= len(form) and form.isprintable()
    )
