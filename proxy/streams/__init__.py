"""Streamed answers: where an event ends, how to tell of an error between two, how a stream ends.

Plain rules over bytes: nothing here waits, reads a clock or touches a socket.
"""
