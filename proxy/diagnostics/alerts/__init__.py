"""Alert rules over what happens, and the receivers that are notified."""
