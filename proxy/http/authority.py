"""The host and port of a request (RFC 3986 §3.2), as they are compared."""


def host_name(authority: str) -> str:
    """The host in lower case, without its port and the final dot of the root.

    An IPv6 address keeps its brackets; one that came without them has no port.
    """
    name = authority
    if not name.endswith("]") and (name.startswith("[") or name.count(":") == 1):
        name = name.rpartition(":")[0]
    return name.lower().removesuffix(".")
