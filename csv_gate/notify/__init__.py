"""Telling the owner of a red build: once, on the channel they watch, with the way to green in it. `send` is where to start reading."""
