"""Hides secrets in the messages of faults: no secret, no userinfo, no token is quoted.

Faults go to terminals, to logs of builds and into chats, so each passes here before it is said.
"""

import re
from dataclasses import replace

from proxy.observation.redaction import PATH_CHARS, REDACTED, is_secret_name, redact
from proxy.settings.faults import KeyPath, SettingsFault
from proxy.settings.schema import shape as settings_shape
from proxy.settings.shape import Shape

_QUOTED = re.compile("[\"'].*[\"']", re.DOTALL)
_SECTION = re.compile("[\"'][^\"']*[{\\[:].*[\"']", re.DOTALL)
"""A quoted text that may be a section with a secret in it; no name of one."""
_NEAR = 3
"""Steps above a secret from which on names are quoted, but no sections."""
_USERINFO = re.compile("(//|[\"']).*@", re.DOTALL)
_NO_PORT = re.compile(r"(//[^/\s\"':\[]*):(?![0-9]{1,5}[\"'/?#])[^\"']*")


def hidden(fault: SettingsFault) -> SettingsFault:
    """The fault without what nobody may read; values stand in quotes in its message."""
    depth = _secret_depth(fault.path)
    if depth is not None and depth <= _NEAR:
        return replace(fault, message=_QUOTED.sub(REDACTED, fault.message))
    message = fault.message if depth is None else _SECTION.sub(REDACTED, fault.message)
    message = _USERINFO.sub(rf"\1{REDACTED}@", message)
    message = _NO_PORT.sub(rf"\1:{REDACTED}", message)  # userinfo that something cut short
    return replace(fault, message=redact(message, PATH_CHARS))


def _secret_depth(path: KeyPath) -> int | None:
    """How far above a secret the value there stands, 0 if it is one; None where there is none."""
    shape: Shape | None = settings_shape()
    for part in path:
        shape = shape.child(part) if shape else None
        if shape is None and is_secret_name(str(part)):
            return 0
    return shape.secret_depth if shape is not None and path else None
