"""The admin port: health for probes, metrics for Prometheus, settings and codes for people."""
