"""Observability: one record per exchange, made once, for log and metrics alike."""
