"""Paths of targets as they are compared, and patterns of paths."""

import re
from urllib.parse import unquote

CAPTURE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")
"""`{x}` and `{x...}`."""
_ENCODED_SLASH = re.compile("%2f", re.IGNORECASE)


def path_of(target: str) -> str:
    """The path of a request target, without its query."""
    return target.partition("?")[0]


def normalise(path: str) -> str:
    """`path` decoded once, dot segments and doubled slashes resolved (RFC 3986 §6.2.2).

    `%2F` stays encoded: it is part of a segment, not a separator. Bytes that are not UTF-8 become
    U+FFFD, which no route has. Dots above the root are dropped; `*` stands for the root.
    """
    if "%" in path:
        path = unquote(_ENCODED_SLASH.sub("%252F", path))
    return _resolved(path)


def decoded(path: str) -> str:
    """`path` as an upstream may read it to which an encoded slash, or a backslash, is a slash."""
    return _resolved(unquote(path).replace("\\", "/"))


def _resolved(path: str) -> str:
    if path.startswith("/") and "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return "/" + "/".join(kept) + slash


def compiled(path: str) -> re.Pattern[str]:
    """A path pattern as a regular expression with its captures by name."""
    literal_from = 0
    parts = []
    for match in CAPTURE.finditer(path):
        parts.append(re.escape(path[literal_from : match.start()]))
        parts.append(f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})")
        literal_from = match.end()
    tail = path[literal_from:]
    ending = ".*" if tail.endswith("/") else ""
    return re.compile("".join(parts) + re.escape(tail) + ending, re.DOTALL)
