"""What happened around an exchange: how others of its kind did, and what is usual."""
