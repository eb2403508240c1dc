"""What came of a reload as plain text, for terminals."""

from typing import Final

from proxy.admin.json_view import JsonObject, text, texts

_LISTS: Final = {
    "changed": "changed",
    "lost": "ended",
    "needs_restart": "needs a restart, left as it was",
    "warnings": "warnings",
}


def reload_text(report: JsonObject) -> str:
    """The settings in force, and each list that is not empty."""
    lines = [f"config {text(report, 'config_hash')}"]
    for key, title in _LISTS.items():
        found = texts(report, key)
        lines += [f"{title}:", *(f"  {entry}" for entry in found)] if found else []
    return "\n".join(lines if len(lines) > 1 else [*lines, "nothing changed"])
