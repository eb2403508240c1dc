"""A reader of server-sent events, written word by word from the WHATWG HTML standard §9.2.6.

Slow, whole streams only, and without a line of the code under test.
"""

from dataclasses import dataclass, field


@dataclass
class Reader:
    """The buffers that the standard names, and what has been dispatched."""

    dispatched: list[tuple[str, str]] = field(default_factory=list)
    data: str = ""
    event_type: str = ""
    is_pending: bool = False

    def take(self, line: str) -> None:
        """Process one line, without its end."""
        if line == "":
            self.dispatch()
        elif line.startswith(":"):
            pass
        elif ":" in line:
            name, value = line.split(":", 1)
            self.take_field(name, value.removeprefix(" "))
        else:
            self.take_field(line, "")

    def take_field(self, name: str, value: str) -> None:
        self.is_pending = True
        if name == "event":
            self.event_type = value
        elif name == "data":
            self.data += value + "\n"

    def dispatch(self) -> None:
        if self.data != "":
            self.dispatched.append((self.event_type or "message", self.data[:-1]))
        self.data = self.event_type = ""
        self.is_pending = False


def decoded(stream: bytes) -> str:
    """The text of a stream, without its byte order mark."""
    return stream.decode("utf-8-sig", "replace")


def lines_of(text: str) -> tuple[list[str], str]:
    """The lines that have ended, and the rest."""
    lines, line, at = [], "", 0
    while at < len(text):
        if text[at] in "\r\n":
            at += 2 if text[at : at + 2] == "\r\n" else 1
            lines.append(line)
            line = ""
        else:
            line += text[at]
            at += 1
    return lines, line


def read(stream: bytes) -> Reader:
    """The state of a reader that has taken `stream` so far."""
    reader = Reader()
    for line in lines_of(decoded(stream))[0]:
        reader.take(line)
    return reader


def dispatched(stream: bytes) -> list[tuple[str, str]]:
    """Type and data of each event that a browser would see."""
    return read(stream).dispatched
