"""What is derived from finished exchanges for people: stories, error groups, alerts.

Refuses to be part of any exchange: it reads records, and never writes to one.
"""
