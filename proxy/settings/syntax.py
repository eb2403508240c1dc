"""Syntax of names, paths, hosts and networks in settings.

Form only: whether a name that is referred to exists is the business of `plan`.
Every check raises ValueError with the remedy.
"""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from proxy.matching.paths import CAPTURE

NAME_PATTERN = r"^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$"
_NAME = re.compile(NAME_PATTERN)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METHOD = re.compile(r"[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\]")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r"(?<![:\[]):[0-9]*/?$")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/(?:[A-Za-z0-9!#$&^_.+-]+|\*)")
_TOKEN = re.compile(r"[!-~]{16,}")


def name(text: str) -> str:
    """A name that can be a metric label and part of an environment variable."""
    if not _NAME.fullmatch(text) or len(text) > 64:
        raise ValueError(
            f'"{text}" is not a name; use up to 64 letters and digits, '
            "with single dots, dashes or underscores between them"
        )
    return text


def path(text: str) -> str:
    """A path of a route: `/a` exactly, `/a/` and all below, `{x}` a segment, `{x...}` the rest."""
    if not text.startswith("/"):
        raise ValueError(f'"{text}" is not a path; it must begin with "/"')
    if found := re.search(r"[?#%\s]|[^ -\U0010ffff]", text):
        raise ValueError(
            f'"{text}" has {found[0]!r} in it; a path is compared decoded and without its query'
        )
    if "*" in text:
        raise ValueError(
            f'"{text}" has "*" in it, which stands for nothing; {_without_stars(text)}'
        )
    segments = text[1:].split("/")
    for at, segment in enumerate(segments, 1):
        _check_segment(text, segment, is_last=at == len(segments))
    names = captures(text)
    if len(set(names)) < len(names):
        raise ValueError(f'"{text}" captures two segments by the same name')
    return text


def _without_stars(text: str) -> str:
    """The remedy for a path written with wildcards."""
    plain = re.sub(r"/\*(?=/.)", "/{name}", re.sub(r"/\*+$", "/", text))
    if "*" in plain:
        return "write /api/ for everything below /api/, {name} for one whole segment"
    return f'did you mean "{plain}"?'


def _check_segment(text: str, segment: str, *, is_last: bool) -> None:
    if segment in (".", "..") or (not segment and not is_last):
        raise ValueError(f'"{text}" can match nothing: "//", "/." and "/.." are resolved first')
    if "{" not in segment and "}" not in segment:
        return
    capture = CAPTURE.fullmatch(segment)
    if capture is None:
        raise ValueError(f'"{segment}" must be a whole segment of the form {{name}} or {{name...}}')
    if capture[2] and not is_last:
        raise ValueError(f'"{segment}" takes the rest of the path and can stand at its end only')


def captures(text: str) -> list[str]:
    """The names of the captures of a path, in order."""
    return [found[1] for found in CAPTURE.finditer(text)]


def without_names(text: str) -> str:
    """The path with its captures unnamed: equal for paths that match the same."""
    return CAPTURE.sub(lambda found: "{" + (found[2] or "") + "}", text)


def one_capture(text: str) -> str:
    """A path that takes one part out of the target."""
    if len(captures(path(text))) != 1:
        raise ValueError(
            f'"{text}" must have exactly one capture, as in /api/conversations/{{id}}/messages'
        )
    return text


def header(text: str) -> str:
    """The name of a header (RFC 9110 §5.1)."""
    if not _HEADER.fullmatch(text):
        raise ValueError(f'"{text}" is not the name of a header')
    return text


def method(text: str) -> str:
    """A method as it is sent: case matters (RFC 9110 §9.1)."""
    if _METHOD.fullmatch(text.upper()) and text != text.upper():
        raise ValueError(f'"{text}" is not a method; did you mean "{text.upper()}"?')
    if not _METHOD.fullmatch(text):
        several = re.findall(r"[A-Z]+", text.upper())
        advice = (
            f"did you mean [{', '.join(several)}]?" if len(several) > 1 else "write GET or POST"
        )
        raise ValueError(f'"{text}" is not a method; {advice}')
    if text == "CONNECT":
        raise ValueError("CONNECT is always refused and cannot be routed")
    return text


def host(text: str) -> str:
    """A host as routes compare it: in lower case and without port."""
    if not _HOST.fullmatch(text):
        plain = _PORT.sub("", _SCHEME.sub("", text)).rstrip("/")
        advice = (
            f'without scheme and port it is "{plain}"'
            if plain != text and _HOST.fullmatch(plain)
            else "write one name such as chat.example.com, without scheme, port or wildcard"
        )
        raise ValueError(f'"{text}" is not a host; {advice}')
    return text.lower()


def prefix(text: str) -> str:
    """A prefix to strip: literal segments, no slash at the end."""
    if "{" in path(text):
        raise ValueError(f'"{text}" must be literal: what is stripped cannot be a capture')
    if text.endswith("/"):
        advice = f'; did you mean "{text[:-1]}"?' if text != "/" else "; leave the key out"
        raise ValueError(f'"{text}" must not end in "/"{advice}')
    return text


def origin(text: str) -> str:
    """A page's origin as browsers send it, or `*`."""
    if text == "*" or _ORIGIN.fullmatch(text):
        return text
    plain = text.lower().rstrip("/")
    advice = (
        f'did you mean "{plain}"?'
        if _ORIGIN.fullmatch(plain)
        else 'write one such as https://app.example.com, or "*" for all'
    )
    raise ValueError(f'"{text}" is not an origin; {advice}')


def pointer(text: str) -> str:
    """A JSON pointer (RFC 6901) to a member."""
    if not _POINTER.fullmatch(text):
        raise ValueError(f'"{text}" is not a JSON pointer; write one such as /message')
    return text


def media_range(text: str) -> str:
    """A media type without parameters, its second part maybe `*`."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise ValueError(f'"{text}" is not a media type; write one such as application/json')
    return text.lower()


def token(secret: SecretStr) -> SecretStr:
    """A secret that can stand in a header and cannot be guessed; never shown."""
    if not _TOKEN.fullmatch(secret.get_secret_value()):
        raise ValueError(
            "must have at least 16 characters, without spaces; "
            "`openssl rand -hex 24` makes a good one"
        )
    return secret


Name = Annotated[str, AfterValidator(name), Field(json_schema_extra={"pattern": NAME_PATTERN})]
RoutePath = Annotated[str, AfterValidator(path)]
Capture = Annotated[str, AfterValidator(one_capture)]
Header = Annotated[str, AfterValidator(header)]
Method = Annotated[str, AfterValidator(method)]
Host = Annotated[str, AfterValidator(host)]
Pointer = Annotated[str, AfterValidator(pointer)]
MediaType = Annotated[str, AfterValidator(media_range)]
Prefix = Annotated[str, AfterValidator(prefix)]
Token = Annotated[SecretStr, AfterValidator(token)]
Network = IPv4Network | IPv6Network
