"""Rules of HTTP messages: headers, framing, identity, and the heads that are written.

Knows no socket and no upstream: bytes in, bytes and decisions out.
"""
