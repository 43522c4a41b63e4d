"""Channels that tell an owner about a red build."""
