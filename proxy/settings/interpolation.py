"""`${VAR}` in values: replaced from the environment, in one pass, never in what was put in.

In values of header rules `${client_ip}`, `${request_id}` and `${route}` are the request's, filled
in for each of them and never read from the environment.
"""

import re
from collections.abc import Mapping

from proxy.http.header_changes import VALUES

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\})?")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def interpolated(text: str, env: Mapping[str, str]) -> str:
    """`text` with `${VAR}` and `${VAR:-default}` replaced and `$${` made `${`.

    The default holds where VAR is unset or empty, as in a shell.
    Raises ValueError where VAR is unset and there is no default, or the form is another.
    """
    return _REFERENCE.sub(lambda found: _replacement(found, env), text)


def interpolated_header(text: str, env: Mapping[str, str]) -> str:
    """The value of a header rule with variables of the environment put in; `${…}` of the request,
    and what is escaped, stay as they are. What is put in is escaped, so that none of it counts.

    Raises ValueError as `interpolated` does.
    """
    return _REFERENCE.sub(lambda found: _in_header(found, env), text)


def _in_header(found: re.Match[str], env: Mapping[str, str]) -> str:
    if found[1] is None or (found[2] and found[1] in VALUES):
        return found[0]
    try:
        if (name := found[1].partition(":-")[0]) in VALUES:
            raise ValueError(f"${{{name}}} is a value of the request and takes no default")
        return _replacement(found, env).replace("${", "$${")
    except ValueError as error:
        known = ", ".join(f"${{{name}}}" for name in VALUES)
        raise ValueError(f"{error}; of the request there are {known}") from None


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
