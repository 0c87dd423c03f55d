# One image for code location, web server, daemon and command line: docs/deploy.md.

FROM python:3.11-slim-bookworm AS build
ARG UV_VERSION=0.13.9
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/tg_pipeline \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build
# What uv.lock names is a layer of its own: a change of our code does not install it again.
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --extra s3 --extra gcs --extra azure --no-install-project
COPY . .
RUN uv sync --locked --no-dev --extra s3 --extra gcs --extra azure --no-editable

FROM python:3.11-slim-bookworm
# Whoever these numbers are on the host may drop files into an inbox that is a folder there.
ARG USER_ID=1000
ARG GROUP_ID=1000
RUN groupadd --non-unique --gid "${GROUP_ID}" tg_pipeline \
    && useradd --non-unique --uid "${USER_ID}" --gid "${GROUP_ID}" \
        --no-log-init --create-home --shell /usr/sbin/nologin tg_pipeline \
    && install --directory --owner tg_pipeline --group tg_pipeline \
        /data /inbox /opt/dagster/storage
COPY --from=build /opt/tg_pipeline /opt/tg_pipeline
COPY --chmod=644 dagster.yaml deploy/docker/workspace.yaml /opt/dagster/
# Without the embedded server a missing database URL is an error, never an empty archive on a disk
# that is about to vanish.
ENV DAGSTER_HOME=/opt/dagster \
    PATH=/opt/tg_pipeline/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TG_PIPELINE_EMBEDDED=0 \
    TG_PIPELINE_HOME=/data \
    TG_PIPELINE_INBOX=/inbox
WORKDIR /opt/dagster
USER ${USER_ID}:${GROUP_ID}
CMD ["tg-pipeline", "--help"]
