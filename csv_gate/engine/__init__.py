"""The engines: pure functions from facts, a compiled policy and a context to a verdict. They import the model and nothing else."""

from csv_gate.engine.appcontrol import (
    CompiledPolicySet,
    compile_policy_set,
    evaluate,
    judging_scenarios,
    with_supplemental,
)

__all__ = ["CompiledPolicySet", "compile_policy_set", "evaluate", "judging_scenarios", "with_supplemental"]
