"""TLS: the files it is made of, contexts that follow them, and handshakes of clients.

Refuses to know what is said over it.
"""
