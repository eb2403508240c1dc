"""Rules over what happens, and who is told when one becomes true."""
