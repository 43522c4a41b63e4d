# syntax=docker/dockerfile:1
# Two stages: the first builds the wheel and installs it with exactly the locked dependencies, the second holds the result alone.
# For a build that can be repeated, pass PYTHON_IMAGE with a digest: --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:…
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY locks/run.lock locks/build.lock locks/
RUN python -m venv /opt/csv-gate \
    && /opt/csv-gate/bin/pip install --require-hashes --only-binary :all: -r locks/run.lock \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r locks/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY csv_gate csv_gate
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/csv-gate/bin/pip install --no-deps --no-index /dist/csv_gate-*.whl \
    && /opt/csv-gate/bin/python -m compileall -q /opt/csv-gate/lib

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/csv-gate /opt/csv-gate
ENV PATH=/opt/csv-gate/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that a cluster which forbids root can see that it is none. Nothing in the image needs to be written.
USER 65532:65532
WORKDIR /artifacts
ENTRYPOINT ["csv-gate"]
CMD ["--help"]
