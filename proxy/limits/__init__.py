"""Limits: how much may come in, and by whom.

Decides on values and `now`; refuses to wait, to send and to read a clock.
"""
