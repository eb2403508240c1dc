"""Colours of a text on a terminal, by what stands in its lines.

None where the output is no terminal, `NO_COLOR` is set (no-color.org), or `TERM` is `dumb`.
"""

import os
import re
from typing import Final, TextIO

from proxy.outcome import OUTCOMES, level_of

_PLAIN: Final = "\033[0m"
_BOLD: Final = "\033[1m"
_DIM: Final = "\033[2m"
_RED, _YELLOW, _GREEN, _CYAN = ("\033[31m", "\033[33m", "\033[32m", "\033[36m")
_LEVELS: Final = {"critical": _RED, "error": _RED, "warning": _YELLOW, "info": _GREEN}
_LINES: Final = (
    (re.compile(r"^(Proven:|Likely:|Next check:)"), _BOLD),
    (re.compile(r"^((?:Route|Circuit|Client|Fallback|Refused|Time|IDs|Fields|Config):)"), _CYAN),
    (re.compile(r"^(Attempt \d+:)"), _CYAN),
    (re.compile(r"^(Runbook:)"), _CYAN),
    (re.compile(r"(← ran out)$"), _RED),
    (re.compile(r"^(\S*Z)(?=  )"), _DIM),
)
"""What is painted, the first group of each, and how."""
_CODE: Final = re.compile(r"→ ([a-z_]+)(?= \()")


def painted(words: str, output: TextIO) -> str:
    """As it is to be written to `output`."""
    if not output.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return words
    return "\n".join(map(_line, words.split("\n")))


def _line(line: str) -> str:
    for pattern, colour in _LINES:
        line = pattern.sub(lambda found, c=colour: f"{c}{found[1]}{_PLAIN}", line)  # type: ignore[misc]
    return _CODE.sub(_code, line)


def _code(found: re.Match[str]) -> str:
    outcome = OUTCOMES.get(found[1])
    colour = _LEVELS.get(level_of(outcome, None), "") if outcome else ""
    return f"→ {colour}{found[1]}{_PLAIN}" if colour else found[0]
