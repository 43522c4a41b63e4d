"""Who answers for an artifact."""
