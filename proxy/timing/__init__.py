"""Time as waits see it: the loop's own lag, silence that was observed, progress, one timer a wait.

Refuses to know who waits, and for what.
"""
