"""`${VAR}` in values: replaced from the environment, in one pass, never in what was put in."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def interpolated(text: str, env: Mapping[str, str]) -> str:
    """`text` with `${VAR}` and `${VAR:-default}` replaced and `$${` made `${`.

    The default holds where VAR is unset or empty, as in a shell.
    Raises ValueError where VAR is unset and there is no default, or the form is another.
    """
    return _REFERENCE.sub(lambda found: _replacement(found, env), text)


def _replacement(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found[1] is None:
        return "${"
    variable = _VARIABLE.fullmatch(found[1]) if found[2] else None
    if variable is None:
        raise ValueError(
            f'"{found[0]}" is not a variable; write ${{VAR}} or ${{VAR:-default}}, '
            "and $${ where ${ itself is meant"
        )
    name, default = variable.groups()
    if default is not None:
        return env.get(name) or default
    if name not in env:
        raise ValueError(
            f"the variable {name} is not set; set it, or give a default: ${{{name}:-...}}"
        )
    return env[name]
