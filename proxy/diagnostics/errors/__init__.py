"""Errors of the same kind, grouped."""
