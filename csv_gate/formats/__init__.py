"""File formats: attacker-controlled bytes to facts."""
