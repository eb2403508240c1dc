"""What a client gets where the upstream gives no answer: that of another upstream, or a fixed one.

Refuses to hide the failure: the code of the exchange stays what it was.
"""
