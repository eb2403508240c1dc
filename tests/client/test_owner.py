"""What a client's connection is given has all that the connection asks of it."""

import inspect

from proxy.client.owner import Owner
from proxy.client.registry import ClientRegistry, PortLimits
from proxy.settings.sections import Listen


def members(protocol: type) -> set[str]:
    return {name for one in protocol.__mro__ for name in vars(one)
            if not name.startswith("_") and one.__module__.startswith("proxy.")}  # fmt: skip


def test_the_settings_have_every_limit() -> None:
    assert members(PortLimits) <= set(Listen.model_fields)


def test_the_registry_is_told_everything() -> None:
    for name in members(Owner):
        told, asked = (inspect.signature(getattr(one, name)) for one in (ClientRegistry, Owner))

        assert list(asked.parameters) == list(told.parameters)
