"""Which answers are slow by the settings."""

from proxy.exchange import Exchange


def is_slow(x: Exchange, slow: float) -> bool:
    """Whether the answer, or the first event of its stream, took longer than `slow` seconds."""
    if x.streamed:
        return x.first_event is not None and x.first_event > slow
    return x.ended - x.started > slow
