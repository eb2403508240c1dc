"""Which endpoint an attempt goes to: rules that decide, without sockets or a clock.

They speak of endpoints by their number in a list, so that they know nothing of what an endpoint is.
"""
