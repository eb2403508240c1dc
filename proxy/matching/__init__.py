"""Which route a request takes: paths, conditions and the index of all routes.

Refuses to know what a route does with a request.
"""
