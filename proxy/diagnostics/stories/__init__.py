"""What is told about one exchange: its story, its diagnosis, and where both are kept."""
