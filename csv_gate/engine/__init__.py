"""The pure functions from facts, policy and context to a verdict. They import the model only."""
