#!/usr/bin/env bash
# Installs csv-gate from the commit that the action was called at, with its locked dependencies, into an environment of its own.
set -euo pipefail

source=$GITHUB_ACTION_PATH/../..
place=$RUNNER_TEMP/csv-gate
python=$(command -v python3 || command -v python)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "::error title=csv-gate::Python 3.11 or newer is needed: call actions/setup-python before this action"
    exit 2
}
"$python" -m venv "$place"
inside=$place/bin/python
[ -x "$inside" ] || inside=$place/Scripts/python.exe
"$inside" -m pip install -q --require-hashes -r "$source/locks/run.lock" -r "$source/locks/build.lock"
"$inside" -m pip install -q --no-deps --no-build-isolation "$source"
"$inside" -m csv_gate --version
