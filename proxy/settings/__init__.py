"""The plan: what Sidelight is told to do, read once, checked whole, never changed.

`schema` says what may be said, `load` reads it; the other modules are the steps between.
"""
