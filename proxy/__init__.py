"""Sidelight: a sidecar reverse proxy that makes any HTTP upstream observable and resilient."""

__version__ = "0.1.0"
