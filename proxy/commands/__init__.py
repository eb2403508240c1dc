"""Commands that query a running Sidelight, or its log where none runs."""
