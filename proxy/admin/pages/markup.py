"""HTML with escaping by type: text becomes markup in one place only.

    el("p", "Reference ID ", el("code", request_id), class_="note")

Names of attributes lose a final underscore; an underscore within becomes a dash.
"""

from collections.abc import Iterable
from html import escape
from typing import Final, TypeAlias, Union


class Markup(str):
    """Text that is HTML already. Made here and nowhere else."""

    __slots__ = ()


Content: TypeAlias = Union[str, float, Iterable["Content"], None]  # noqa: UP007  # "Content"
Attribute: TypeAlias = str | float | bool | None
"""True stands alone (`hidden`), False and None leave the attribute out."""

_VOID: Final = frozenset(("br", "hr", "input", "link", "meta"))


def el(tag: str, *content: Content, **attributes: Attribute) -> Markup:
    """An element. All content is escaped but for Markup; None is nothing, lists are joined."""
    opened = f"<{tag}{''.join(map(_attribute, attributes.items()))}>"
    return Markup(opened if tag in _VOID else f"{opened}{join(content)}</{tag}>")


def join(content: Content) -> Markup:
    """Content one after the other, as markup."""
    if content is None:
        return Markup()
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return Markup(escape(content))
    if isinstance(content, int | float):
        return Markup(str(content))
    return Markup("".join(map(join, content)))


def html_document(root: Markup) -> str:
    """A whole page."""
    return f"<!doctype html>\n{root}\n"


def _attribute(item: tuple[str, Attribute]) -> str:
    name, value = item
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
