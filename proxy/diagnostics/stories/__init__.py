"""The story of one exchange, its diagnosis, and where both are stored."""
