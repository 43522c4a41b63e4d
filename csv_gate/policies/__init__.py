"""Policy files to the policy model."""
