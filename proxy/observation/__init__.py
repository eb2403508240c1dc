"""What Sidelight lets people see: one record per exchange, made once, for log and metrics alike."""
