"""What the tests of the documentation compare with: every key of the models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.settings.json_schema import json_schema
from proxy.settings.schema import Policy
from proxy.settings.shape import Shape

ROOT = Path(__file__).parents[2]


def keys_of(shape: Shape, path: str = "") -> Iterator[tuple[str, Shape]]:
    """Every key that holds a value, as the documentation writes it: `upstreams.<name>.host`.

    A route's overrides are one key each: below them stand the keys of a policy.
    Values by names of the user's own are one key together.
    """
    for key, child in shape.keys.items():
        inner = f"{path}.{key}".removeprefix(".")
        item = child.item
        if path == "routes[]" and (key in Policy.model_fields or key == "cors"):
            yield inner, child
        elif child.keys:
            if "string" in child.kinds:
                yield inner, child
            yield from keys_of(child, inner)
        elif child.named and not child.named.keys:
            yield f"{inner}.<name>", child.named
        elif child.named:
            yield from keys_of(child.named, f"{inner}.<name>")
        elif item and item.keys:
            yield from keys_of(item, f"{inner}[]")
        else:
            yield inner, child


@pytest.fixture(scope="session")
def keys() -> dict[str, Shape]:
    schema = json_schema()
    return dict(keys_of(Shape(schema, schema["$defs"])))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
