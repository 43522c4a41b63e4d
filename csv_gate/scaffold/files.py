"""The files of a first configuration, commented, as text; and writing them where nothing stands yet."""

from __future__ import annotations

import os
from pathlib import Path

from csv_gate import __version__
from csv_gate.config.loading import FILE_NAME
from csv_gate.errors import OutputError, Place
from csv_gate.records import dataclass
from csv_gate.scaffold.survey import CiHost, Survey
from csv_gate.scaffold.workflows import WORKFLOWS
from csv_gate.waivers.stubs import quoted

WAIVERS = "csv-gate.waivers.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to write. The path is relative to the repository, `/` between folders."""

    path: str
    text: str


def new_files(found: Survey) -> tuple[NewFile, ...]:
    """Configuration, waiver file and, where the CI system is known, what it needs to call the gate."""
    files = [NewFile(path=FILE_NAME, text=_config(found)), NewFile(path=WAIVERS, text=_WAIVER_FILE)]
    if found.ci is not CiHost.NONE:
        path, text = WORKFLOWS[found.ci]
        files.append(NewFile(path=path, text=text.replace("@VERSION@", __version__)))
    return tuple(files)


def write_new(root: Path, file: NewFile) -> bool:
    """Write a file unless something stands there already; returns whether it was written.

    Raises:
        OutputError: the folder cannot be written.
    """
    target = root / file.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Fails for a link too, wherever it leads.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise OutputError("the file cannot be written", place=Place(path=str(target)), got=error.strerror) from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(file.text)
    return True


def _config(found: Survey) -> str:
    outputs = found.outputs or ("build",)
    policies = found.policies or ("policies/*.xml",)
    owners = (
        f"# {found.codeowners} is read too; rows here come before it."
        if found.codeowners and found.codeowners.isascii() and found.codeowners.isprintable()
        else "# There is no CODEOWNERS file; with one, its rows would count after these."
    )
    lines = [
        "# What csv-gate judges, and for which targets. `csv-gate config schema` prints everything that may stand here,",
        "# `csv-gate config show` what holds and who said so.",
        "version: 1",
        "",
        "# The build output: files and folders. The gate has to run after the build."
        + ("" if found.outputs else " No Windows code was found here yet."),
        "inputs:",
        *(f"  - {quoted(path)}" for path in outputs),
        "",
        "targets:",
        "  # A place of deployment. Several policies make one set, as on the machine: base and supplemental, XML or compiled.",
        "  prod:",
        "    policies:"
        + ("" if found.policies else "  # none was found in the repository: put in what the machines really have"),
        *(f"      - {quoted(path)}" for path in policies),
        "    # A policy in audit mode blocks nothing, so its denials are warnings. `enforce` judges it as if it blocked.",
        "    # mode: enforce",
        "    # Path rules need to know where files will lie.",
        "    # install_paths:",
        f"    #   - {{from: {quoted(outputs[0])}, to: 'C:\\Program Files\\Contoso', user_writable: false}}",
        "",
        "# What is asked of signatures beside any policy: who signs, time stamps, strength, nothing unsigned in a package.",
        "# `signers` says who is meant; below a root of your own, name that under `roots`.",
        "# signers:",
        "#   build: {cn: 'Contoso Build', issuer: 'Contoso Issuing CA'}",
        "# requirements:",
        "#   change-process: {signed_by: build, timestamp: rfc3161, min_digest: sha256}",
        "#   packages: {formats: [nupkg, vsix], no_unsigned_content: true}",
        "",
        "# Exceptions: each with a reason, an owner and an end.",
        f"waivers: {WAIVERS}",
        "",
        "# Who answers for what; the last row that means a path wins.",
        owners,
        "# owners:",
        f"#   - {{paths: [{quoted(outputs[0] + '/agent/')}], name: '@contoso/agent', contact: '#agent'}}",
        "# default_owner: '@contoso/release'",
        "",
        "# How owners are told of a red build. Secrets stand in the environment, here only their names.",
        "# notify:",
        "#   branches: [main, 'release/*']",
        "#   pagerduty:",
        "#     routing_key: {env: PAGERDUTY_KEY}",
    ]
    return "\n".join(lines) + "\n"


_WAIVER_FILE = """\
# Exceptions to what the gate finds. `csv-gate check --write-waivers FILE` writes stubs for what fails now; copy from there what is meant,
# and say why. An expired entry is an error. In CI, `--waivers-from origin/main` reads this file as the protected branch has it.
version: 1
waivers: []
#  - id: W-legacy-helper
#    reason: "signed again with the release after next, TICKET-1"
#    owner: "@contoso/agent"
#    expires: 2027-01-31
#    match:
#      sha256: "0000000000000000000000000000000000000000000000000000000000000000"
#      checks: [CSV201]
"""
