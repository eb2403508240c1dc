"""Stack traces in the bodies of error pages: whether there is one, and where it points to.

Of what it finds only the class of the exception and `file:line:function` are ever given on: the
rest of a trace quotes values, and those are somebody's data.

Every repetition in a pattern is bounded: an upstream chooses the text.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.observation.redaction import redact

MOST: Final = 64 * 1024
"""Bytes of a body that are looked through."""


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes its traces. `frame` has the groups file, line and function."""

    name: str
    frame: re.Pattern[str]
    innermost_last: bool = False
    mark: re.Pattern[str] | None = None
    """What a trace has besides its frames, where those alone are no proof; or without any."""


LANGUAGES: Final = (
    Language(
        "Python",
        re.compile(
            r'File "?(?P<file>[^"\n,&]{1,400})"?,\s{1,40}line (?P<line>\d{1,7}),\s{1,40}'
            r"in (?P<function>[\w<>.]{1,160})"
        ),
        innermost_last=True,
    ),
    Language(
        "Python",
        re.compile(
            r"Exception Location:\s{1,40}(?P<file>[^\n,]{1,400}), line (?P<line>\d{1,7}), "
            r"in (?P<function>[\w<>.]{1,160})"
        ),
    ),
    Language(
        "Java",
        re.compile(
            r"^\s{0,20}at (?:[\w.@-]{0,80}/){0,2}"
            r"(?P<function>(?:[\w$<>]{1,80}\.){1,20}[\w$<>]{1,80})\((?:"
            r"(?P<file>[\w$-]{1,80}\.(?:java|kt|scala|groovy|clj)):(?P<line>\d{1,7})"
            r"|Native Method|Unknown Source)\)",
            re.MULTILINE,
        ),
    ),
    Language(
        "Node.js",
        re.compile(
            r"^\s{0,20}at (?:(?P<function>[\w.$<>\[\] ]{1,160}) \()?"
            r"(?P<file>(?:file://|node:|webpack:|[A-Za-z]:)?"
            r"(?=[^\s():]{0,400}[/\\.])[^\s():]{1,400}):(?P<line>\d{1,7}):\d{1,7}",
            re.MULTILINE,
        ),
    ),
    Language(
        ".NET",
        re.compile(
            r"^\s{0,20}at (?P<function>[\w.`<>|+\[\],]{1,300}\.[\w`<>|+\[\],]{1,100})"
            r"\([^\n]{0,400}\)"
            r"(?: in (?P<file>[^\n]{1,400}):line (?P<line>\d{1,7}))?",
            re.MULTILINE,
        ),
        mark=re.compile(r"\w{1,100}Exception\b|:line \d"),
    ),
    Language(
        "Go",
        re.compile(
            r"^(?P<function>[\w./*()-]{1,200})\([^\n]{0,400}\)\n\t(?![^\n]{0,100}/go/src/)"
            r"(?P<file>\S{1,400}\.go):(?P<line>\d{1,7})",
            re.MULTILINE,
        ),
        mark=re.compile(r"^goroutine \d{1,9} \[[^\]\n]{1,80}\]:", re.MULTILINE),
    ),
    Language(
        "Ruby",
        re.compile(
            r"(?<![\w./-])(?P<file>[\w./-]{1,400}\.(?:rb|ru|erb|rake)):(?P<line>\d{1,7}):"
            r"in [`'\"](?P<function>[\w.#:<>!?= ]{1,160})"
        ),
    ),
    Language(
        "PHP",
        re.compile(
            r"^#\d{1,4} (?P<file>\S{1,400}\.php)\((?P<line>\d{1,7})\): "
            r"(?P<function>[\w\\:>-]{1,160})\(",
            re.MULTILINE,
        ),
    ),
    Language(
        "PHP",
        re.compile(
            r"(?:Fatal error|Parse error|Warning|Uncaught )[^\n]{0,1000}? in "
            r"(?P<file>\S{1,400}\.php)(?: on line |:)(?P<line>\d{1,7})(?P<function>)"
        ),
    ),
    Language(
        "PHP",
        re.compile(
            r'"file"\s{0,4}:\s{0,4}"(?P<file>[^"\n]{1,400}\.php)"\s{0,40},\s{0,40}'
            r'"line"\s{0,4}:\s{0,4}(?P<line>\d{1,7})'
            r'(?:\s{0,40},\s{0,40}"function"\s{0,4}:\s{0,4}"(?P<function>[\w\\{}:]{1,160}))?'
        ),
        mark=re.compile(r'"trace"\s{0,4}:\s{0,4}\['),
    ),
)

BARE: Final = (
    ("Python", re.compile(r"Traceback \(most recent call last\)")),
    ("Go", re.compile(r"^goroutine \d{1,9} \[running\]:", re.MULTILINE)),
    ("PHP", re.compile(r"Stack trace:\s{1,9}#0 ")),
)
"""Beginnings of traces whose frames do not show, because they were cut or are of no known form."""

_NAME = (
    r"(?P<name>\b(?:[A-Za-z_]\w{0,80}(?:\.|\\|::|\$)){0,12}(?:[A-Z]\w{0,80}?)?"
    r"(?:Error|Exception|Fault|Failure|Interrupt|Exit|NotFound|DoesNotExist))\b"
    r"(?! (?:Type|Value|Location|Group)\b)"
)
_CLASS = re.compile(_NAME)
_LINE = re.compile(r"^\s{0,20}(?:[A-Z]\w{0,20}[.:]? {1,2}){0,3}" + _NAME, re.MULTILINE)
"""A line that names a class first, but for words such as `Uncaught` and `Fatal error:`."""
_HINTS = (b"at ", b"line", b"race", b"goroutine ", b".rb:", b".php")
_JSON = re.compile(r'\\(?:(["\\/])|([nrt])|u00([0-9a-fA-F]{2}))')
_WHITE = {"n": "\n", "r": "\r", "t": "\t"}
_BREAKS = re.compile(r"<br ?/?>|</(?:p|div|li|h\d|tr|pre|td|th|title)>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{1,1000}>")


def trace_in(body: bytes) -> str | None:
    """Where the stack trace in `body` points to, as `KeyError at app/views.py:10:show`.

    Only the language where nothing better is known; None where there is no trace.
    """
    body = body[:MOST]
    if not any(hint in body for hint in _HINTS):
        return None
    readings = [*_readings(body)]
    found = next(filter(None, map(_found, readings)), None)
    found = found or next(filter(None, map(_bare, readings)), None)
    return redact(found) if found else None


def _readings(body: bytes) -> Iterator[str]:
    """The text as it is, without JSON's escapes, and without HTML."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    plain = _JSON.sub(_unescaped, text).replace("\r\n", "\n") if "\\" in text else text
    yield text
    if plain != text:
        yield plain
    if "<" in plain or "&" in plain:
        yield html.unescape(_TAGS.sub("", _BREAKS.sub("\n", plain)))


def _unescaped(match: re.Match[str]) -> str:
    sign, white, code = match.groups()
    return str(sign or (_WHITE[white] if white else chr(int(code, 16))))


def _found(text: str) -> str | None:
    for language in LANGUAGES:
        if language.mark is None or language.mark.search(text):
            frames = language.frame.finditer(text)
            frame = next(frames, None)
            if frame is not None:
                if language.innermost_last:
                    *_, frame = (frame, *frames)
                return f"{_exception(language, text, frame)}{_place(frame)}"
    return None


def _bare(text: str) -> str | None:
    return next((name for name, mark in BARE if mark.search(text)), None)


def _exception(language: Language, text: str, frame: re.Match[str]) -> str:
    """The class: what the trace ends with, or the line before its frames; else the first named."""
    if language.innermost_last:
        found = _LINE.search(text, frame.end())
    else:
        *_, found = (None, *_LINE.finditer(text, 0, frame.start()))
    found = found or _CLASS.search(text)
    return found["name"] if found else language.name


def _place(frame: re.Match[str]) -> str:
    file, line, function = frame["file"], frame["line"], frame["function"]
    parts = [part for part in re.split(r"[/\\]", file.strip()) if part] if file else []
    named = [part for part in ("/".join(parts[-2:]), line, (function or "").strip()) if part]
    return f" at {':'.join(named)}" if named else ""
