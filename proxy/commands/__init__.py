"""Commands that ask a running Sidelight, or its log where it does not run."""
