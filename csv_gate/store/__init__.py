"""What csv-gate keeps between runs."""
