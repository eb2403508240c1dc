"""WebSockets: the switch to a tunnel, its two sides, and where frames end.

Refuses to know what the messages say.
"""
