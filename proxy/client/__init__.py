"""The client's side of an exchange: its connection, and the requests that come on it."""
