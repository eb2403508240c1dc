"""The forms under which an ID that somebody typed, pasted or read out may stand in a record."""

import re
from typing import Final

LEAST_BEGINNING: Final = 8
"""Characters of the shortest beginning of an ID that is looked for."""
LONGEST_ID: Final = 1024
"""Characters of the longest one that is kept of anybody."""

_LABEL: Final = re.compile(
    r"(?:x[-_ ])?(?:reference|request|trace|ref)[-_ ]*(?:id|no\.?|number)?(?:\s*[:=#]\s*|\s+)",
    re.IGNORECASE,
)
_AROUND: Final = " \t\r\n\"'`<>()[]{},.;:\u201c\u201d"
"""What stands around an ID in a sentence."""
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def forms_of(asked: str) -> tuple[str, ...]:
    """What may be meant, the ID as it was given first: without its label, quotes and blanks, in
    lower case, and the trace of a `traceparent`."""
    bare = _LABEL.sub("", asked.strip(), count=1).strip(_AROUND)
    joined = "".join(bare.split())
    forms = [asked, asked.strip(), bare, joined, joined.lower()]
    if trace := _TRACEPARENT.fullmatch(joined.lower()):
        forms.append(trace[1])
    return tuple(dict.fromkeys(form for form in forms if form)) or (asked,)


def beginnings_of(asked: str) -> tuple[str, ...]:
    """The forms that are long enough to be looked for as the beginning of an ID."""
    return tuple(
        form for form in forms_of(asked) if LEAST_BEGINNING <= len(form) and form.isprintable()
    )
