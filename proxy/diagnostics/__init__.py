"""What is made of exchanges that have ended, for people: stories, groups of errors, alerts.

Refuses to be part of any exchange: it reads records, and never writes to one.
"""
