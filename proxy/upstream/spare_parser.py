"""The parser of the responses on one connection: llhttp, with the leniencies that are judged by us.

To make one costs as much as to read a head, so one that has read a response to its end reads the
next one. Whether it has is for its reader to say: after the response to a HEAD request it would
wait for the announced body and swallow the next response.
"""

from httptools import HttpResponseParser


class SpareParser:
    """Gives a parser for the next response; `protocol` is what parsers call, and hold."""

    __slots__ = ("_spare",)

    def __init__(self) -> None:
        self._spare: HttpResponseParser | None = None

    def take(self, protocol: object) -> HttpResponseParser:
        """One that has nothing to read yet."""
        parser, self._spare = self._spare, None
        if parser is None:
            parser = HttpResponseParser(protocol)
            # versions, and bytes behind a `Connection: close` (of an interim head too), are judged
            # by the reader
            parser.set_dangerous_leniencies(
                lenient_version=True, lenient_keep_alive=True, lenient_spaces_after_chunk_size=True
            )
        return parser

    def keep(self, parser: HttpResponseParser | None) -> None:
        """It has read a response to its end and nothing behind it; None: there is none."""
        self._spare = parser

    def drop(self) -> None:
        """Nothing more is read: it would hold the reader."""
        self._spare = None
