"""The words of csv-gate as types: facts, policies, context, verdicts, checks, results. Plain values that read and write nothing."""
