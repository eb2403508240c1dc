"""What the image says it does."""

import json
import re
import shlex
from pathlib import Path

from proxy.cli import _parser

DOCKERFILE = (Path(__file__).parents[2] / "Dockerfile").read_text().replace("\\\n", " ")


def instruction(name: str) -> str:
    (found,) = re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)
    return found


def test_its_commands_are_ones_that_sidelight_has() -> None:
    health = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    command = json.loads(instruction("ENTRYPOINT")) + json.loads(instruction("CMD"))

    assert ("sidelight", 1) == (health[0], _parser().parse_args(health[1:]).pid)
    assert Path("/etc/sidelight/sidelight.yaml") == _parser().parse_args(command[1:]).config


def test_its_labels_say_what_it_is() -> None:
    labels = dict(pair.split("=", 1) for pair in shlex.split(instruction("LABEL")))

    assert {"title", "description", "licenses"} == {name.rpartition(".")[2] for name in labels}
    assert all(name.startswith("org.opencontainers.image.") for name in labels)
