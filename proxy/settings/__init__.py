"""Settings: read once, checked as a whole, never changed.

`schema` says what may be said, `load` reads it; the other modules are the steps between.
"""
