#!/usr/bin/env bash
# Runs the gate with the inputs that stand in INPUT_* variables. Its exit code is that of the step.
set -euo pipefail

inside=$RUNNER_TEMP/csv-gate/bin/python
[ -x "$inside" ] || inside=$RUNNER_TEMP/csv-gate/Scripts/python.exe
reports=$INPUT_REPORTS
arguments=()

# Adds `--flag value` for each line of a variable that is not blank.
lines() {
    local line
    while IFS= read -r line; do
        line=${line%$'\r'}
        [ -z "${line//[[:space:]]/}" ] || arguments+=("$1=$line")
    done <<<"$2"
}

misuse() {
    echo "::error title=csv-gate::$1"
    exit 2
}

case $reports in
"" | /* | *..* | *$'\n'*) misuse "the input 'reports' names a folder below the workspace" ;;
esac
case $INPUT_NOTIFY in
true | false) ;;
*) misuse "the input 'notify' is true or false" ;;
esac

mkdir -p "$reports"
lines --policy "$INPUT_POLICIES"
lines --target "$INPUT_TARGETS"
lines --config "$INPUT_CONFIG"
lines --fail-on "$INPUT_FAIL_ON"
lines --waivers-from "$INPUT_WAIVERS_FROM"
[ "$INPUT_NOTIFY" = false ] || arguments+=(--notify)
[ -z "$INPUT_LAST_RESULT" ] || [ ! -f "$INPUT_LAST_RESULT" ] || arguments+=("--diff=$INPUT_LAST_RESULT")
for report in json=result.json sarif=result.sarif junit=junit.xml markdown=summary.md html=report.html; do
    arguments+=(-o "${report%%=*}=$reports/${report#*=}")
done
paths=()
while IFS= read -r line; do
    line=${line%$'\r'}
    [ -z "${line//[[:space:]]/}" ] || paths+=("$line")
done <<<"$INPUT_PATHS"

code=0
"$inside" -m csv_gate check -o github "${arguments[@]}" -- ${paths[@]+"${paths[@]}"} || code=$?

{
    echo "exit-code=$code"
    echo "result=$reports/result.json"
    echo "sarif=$reports/result.sarif"
    echo "junit=$reports/junit.xml"
} >>"$GITHUB_OUTPUT"
# A step's summary may have one mebibyte; the page in the reports has everything.
[ ! -f "$reports/summary.md" ] || head -c 1000000 "$reports/summary.md" >>"$GITHUB_STEP_SUMMARY"
exit "$code"
