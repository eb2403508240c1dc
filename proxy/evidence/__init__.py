"""Facts about an exchange that ended badly or was slow: found out at its end, not on its way."""
