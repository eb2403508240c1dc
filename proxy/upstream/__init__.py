"""The way to the upstream: connections of our own, and the pool that keeps them."""
