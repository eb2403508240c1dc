"""What a fault may say of a value: nothing of a secret, of others no userinfo and no token.

Faults go to terminals, to logs of builds and into chats, so each passes here before it is said.
"""

import re
from dataclasses import replace

from proxy.observation.redaction import PATH_CHARS, REDACTED, is_secret_name, redact
from proxy.settings.faults import KeyPath, SettingsFault
from proxy.settings.schema import shape as settings_shape
from proxy.settings.shape import Shape

_QUOTED = re.compile("[\"'].*[\"']", re.DOTALL)
_USERINFO = re.compile("(//|[\"']).*@", re.DOTALL)
_NO_PORT = re.compile(r"(//[^/\s\"':\[]*):(?![0-9]{1,5}[\"'/?#])[^\"']*")


def hidden(fault: SettingsFault) -> SettingsFault:
    """The fault without what nobody may read; values stand in quotes in its message."""
    if _is_secret(fault.path):
        return replace(fault, message=_QUOTED.sub(REDACTED, fault.message))
    message = _USERINFO.sub(rf"\1{REDACTED}@", fault.message)
    message = _NO_PORT.sub(rf"\1:{REDACTED}", message)  # userinfo that something cut short
    return replace(fault, message=redact(message, PATH_CHARS))


def _is_secret(path: KeyPath) -> bool:
    """Whether the value there is a secret, or a list or section that has one in it."""
    shape: Shape | None = settings_shape()
    for part in path:
        shape = shape.child(part) if shape else None
        if shape is None and is_secret_name(str(part)):
            return True
    return shape is not None and bool(path) and shape.has_secret
