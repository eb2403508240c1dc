"""What HTTP itself says of a message: headers, framing, identity, and the heads that we write.

Knows no socket and no upstream: bytes in, bytes and decisions out.
"""
