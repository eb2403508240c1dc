"""How a client leaves."""

from typing import Literal

ClientExit = Literal["", "fin", "reset"]
"""It ended its side in order, or its connection broke; empty while it is here."""
