"""Lists and sections that stand in a variable, unfolded to the tree they are.

`[GET, POST]` and `{ head: 20s }` are read as YAML; a list may also be given by commas.
"""

from proxy.settings.faults import KeyPath, SettingsFault
from proxy.settings.reading import read_value
from proxy.settings.shape import Shape
from proxy.settings.tree import Items, Keys, Leaf, Node


def unfold(node: Node, shape: Shape, path: KeyPath = ()) -> list[SettingsFault]:
    """Unfold every variable in `node` in place; what cannot be read is a fault."""
    faults: list[SettingsFault] = []
    for part, below in _parts(node):
        child, inner = shape.child(part), (*path, part)
        if child is None:
            continue
        try:
            grown = _unfolded(below, child)
        except ValueError as error:
            faults.append(SettingsFault(below.place, inner, str(error)))
            continue
        _put(node, part, grown)
        faults += unfold(grown, child, inner)
    return faults


def _parts(node: Node) -> list[tuple[str | int, Node]]:
    match node:
        case Keys():
            return list(node.nodes.items())
        case Items():
            return list(enumerate(node.nodes))
        case Leaf():
            return []


def _put(node: Node, part: str | int, below: Node) -> None:
    match node, part:
        case Keys(), str():
            node.nodes[part] = below
        case Items(), int():
            node.nodes[part] = below


def _unfolded(node: Node, shape: Shape) -> Node:
    """What a variable holds; anything else stays as it is. Raises ValueError."""
    if not isinstance(node, Leaf) or not node.given or node.broken or node.is_null:
        return node
    is_list = "array" in shape.kinds
    if not is_list and "object" not in shape.kinds:
        return node
    if node.text[:1] in ("[", "{"):
        try:
            return read_value(node.text, node.place)
        except ValueError:
            node.broken = True
            raise
    if not is_list:
        return node
    texts = filter(None, (text.strip() for text in node.text.split(",")))
    return Items(node.place, [Leaf(text, node.place, given=True) for text in texts])
