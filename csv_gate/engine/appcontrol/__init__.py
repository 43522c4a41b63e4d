"""The App Control engine: what code integrity on Windows does with an artifact under a set of App Control policies.

Pure and offline. Answers are three-valued inside; whatever is unknown never improves a verdict. The order of evaluation and the traps
are told in `docs/how-app-control-decides.md`.

Not modelled; meeting it where it could decide gives `undecided`, with the reason:
- encoded scripts (their digests and signatures are not among the facts), and MSXML and COM under a host;
- rules for hashes, names and paths where a packaged app is judged, and package versions;
- which of its two digests a hash rule for a script or installer is compared with; managed installer and ISG for scripts and installers;
- modules that a PowerShell script imports or dot-sources, and what a module must export;
- inherited scenarios, test-signing groups, artifact rules, hotpatch conditions, exceptions in supplementals;
- the well-known roots 00 to 02, and root 14 without the target's list of roots;
- elliptic-curve keys, SHA-1, SHA-384 and SHA-512 image digests, RSA keys below 2048 or above 4096 bits, issuers that are no CA;
- option 8 (EV signers); option 2 (WHQL) for drivers that carry only the Windows component EKU;
- Windows' own driver-signing rule beyond a visible signature of Microsoft's hardware programme;
- a set with two bases of one id, and a base without scenario 131 for drivers.
Not modelled and without effect here: dynamic code security (option 19), which concerns code that is no file; the default certificate
remapping; event 3117 (one policy overriding another one's denial), since a denial stays one.
"""

from csv_gate.engine.appcontrol.compiled import CompiledPolicySet, compile_policy_set, with_supplemental
from csv_gate.engine.appcontrol.evaluate import evaluate
from csv_gate.engine.appcontrol.scenario import judging_scenarios

__all__ = ["CompiledPolicySet", "compile_policy_set", "evaluate", "judging_scenarios", "with_supplemental"]
