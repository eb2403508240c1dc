"""New settings for a running process: read beside the old ones, put in force in one step.

Refuses to: change anything before all of it is checked, or end an exchange.
"""
