"""What each CI system needs to call the gate, to be put after the build. `@VERSION@` stands for this version."""

from __future__ import annotations

from csv_gate.scaffold.survey import CiHost

_GITHUB = """\
# Builds and judges. Put your own build in, and say where your organisation keeps csv-gate.
name: csv-gate

on:
  push:
    branches: [main]
  pull_request:

permissions: {}

concurrency:
  group: csv-gate-${{ github.ref }}
  cancel-in-progress: true

jobs:
  gate:
    name: Build, then judge
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read # to check out
    env:
      # An index's name and version, the path of a wheel, or an address with a commit.
      GATE_PACKAGE: csv-gate==@VERSION@
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0 # waivers are read from another ref
          persist-credentials: false

      - name: Build
        run: |
          echo "put your build here"

      - name: Install csv-gate
        run: |
          python3 -m venv "$RUNNER_TEMP/csv-gate"
          "$RUNNER_TEMP/csv-gate/bin/pip" install -q "$GATE_PACKAGE"

      - name: Judge what was built
        run: |
          mkdir -p csv-gate-reports
          code=0
          "$RUNNER_TEMP/csv-gate/bin/csv-gate" check --waivers-from origin/main -o github \\
            -o json=csv-gate-reports/result.json -o html=csv-gate-reports/report.html \\
            -o markdown=csv-gate-reports/summary.md || code=$?
          test ! -f csv-gate-reports/summary.md || cat csv-gate-reports/summary.md >>"$GITHUB_STEP_SUMMARY"
          exit "$code"

      - name: Keep the reports
        if: ${{ !cancelled() }}
        uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: csv-gate-reports
          path: csv-gate-reports/
"""

_AZURE = """\
# Steps that judge what was built: `- template: ci/csv-gate.azure-pipelines.yml` after the build's own steps.
steps:
  # Say where your organisation keeps csv-gate: an index's name and version, the path of a wheel, or an address with a commit.
  - bash: python3 -m pip install --disable-pip-version-check "csv-gate==@VERSION@"
    displayName: Install csv-gate
  - bash: |
      mkdir -p "$REPORTS"
      python3 -m csv_gate check --waivers-from origin/main -o azure -o "json=$REPORTS/result.json" \\
        -o "junit=$REPORTS/TEST-csv-gate.xml" -o "html=$REPORTS/report.html"
    displayName: Judge what was built
    env:
      REPORTS: $(Build.ArtifactStagingDirectory)/csv-gate
  - task: PublishTestResults@2
    displayName: Publish the verdicts as tests
    condition: succeededOrFailed()
    inputs:
      testResultsFormat: JUnit
      testResultsFiles: TEST-csv-gate.xml
      searchFolder: $(Build.ArtifactStagingDirectory)/csv-gate
      testRunTitle: csv-gate
      failTaskOnFailedTests: false
      failTaskOnMissingResultsFile: true
"""

_GITLAB = """\
# A job that judges what was built: `include: [{local: ci/csv-gate.gitlab-ci.yml}]`, and `needs` names the job that builds.
csv-gate:
  stage: test
  image: python:3.13-slim
  needs: [build]
  variables:
    # An index's name and version, the path of a wheel, or an address with a commit.
    GATE_PACKAGE: csv-gate==@VERSION@
    GIT_DEPTH: "0"
  script:
    - python3 -m pip install -q "$GATE_PACKAGE"
    - mkdir -p csv-gate-reports
    - >-
      csv-gate check --waivers-from "origin/$CI_DEFAULT_BRANCH" -o text
      -o json=csv-gate-reports/result.json -o junit=csv-gate-reports/junit.xml
      -o gitlab=csv-gate-reports/code-quality.json -o html=csv-gate-reports/report.html
  artifacts:
    when: always
    paths: [csv-gate-reports/]
    reports:
      junit: csv-gate-reports/junit.xml
      codequality: csv-gate-reports/code-quality.json
"""

_JENKINS = """\
// A stage that judges what was built, to be put into the Jenkinsfile after the build. The agent needs csv-gate @VERSION@ on its PATH.
stage('Judge what was built') {
    steps {
        sh '''
            mkdir -p csv-gate-reports
            csv-gate check --waivers-from origin/main -o text \\
                -o json=csv-gate-reports/result.json -o junit=csv-gate-reports/junit.xml -o html=csv-gate-reports/report.html
        '''
    }
    post {
        always {
            junit testResults: 'csv-gate-reports/junit.xml', skipMarkingBuildUnstable: true
            archiveArtifacts artifacts: 'csv-gate-reports/*', allowEmptyArchive: true
        }
    }
}
"""

WORKFLOWS: dict[CiHost, tuple[str, str]] = {
    CiHost.GITHUB: (".github/workflows/csv-gate.yml", _GITHUB),
    CiHost.AZURE: ("ci/csv-gate.azure-pipelines.yml", _AZURE),
    CiHost.GITLAB: ("ci/csv-gate.gitlab-ci.yml", _GITLAB),
    CiHost.JENKINS: ("ci/csv-gate.stage.jenkinsfile", _JENKINS),
}
"""CI system -> path of the file in the repository, and its text."""
