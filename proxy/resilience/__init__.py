"""What happens when an attempt fails: deadline, retry, budget, breaker.

Plain rules: they take values and `now` and return values.
Nothing here waits, logs, reads a clock or touches a socket.
"""
