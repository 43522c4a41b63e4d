"""One reporter per output format; a reporter renders a result and computes nothing."""
