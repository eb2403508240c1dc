# The same Python as below, with a C compiler.
FROM python:3.13-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock ./
COPY deploy/compile.lock deploy/
RUN python -m venv /app \
    && /app/bin/pip install --require-hashes --only-binary :all: --requirement requirements.lock \
    && python -m venv /tools \
    && /tools/bin/pip install --require-hashes --only-binary :all: --requirement deploy/compile.lock
COPY LICENSE README.md pyproject.toml setup.py ./
COPY deploy/build_backend.py deploy/compile.py deploy/
COPY deploy/widget/sidelight.js deploy/widget/
COPY proxy/ proxy/
# The wheel of `make wheel`: setuptools is in the lock file, so building fetches nothing; at run time
# neither it nor pip is needed.
RUN SIDELIGHT_COMPILE=require /tools/bin/pip wheel --no-deps --no-build-isolation --no-index \
        --wheel-dir /dist . \
    && /app/bin/pip install --no-deps --no-index /dist/*.whl \
    && /app/bin/pip uninstall --yes setuptools pip \
    && install --directory --owner=65532 --group=65532 /data

FROM python:3.13-slim-trixie
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /data /var/lib/sidelight
# The admin port must be reached by probes and Prometheus, from outside the container.
ENV PATH=/app/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SIDELIGHT_ADMIN__HOST=0.0.0.0 \
    SIDELIGHT_STORE__PATH=/var/lib/sidelight/sidelight.db
LABEL org.opencontainers.image.title="Sidelight" \
    org.opencontainers.image.description="A sidecar reverse proxy that makes any HTTP upstream observable and resilient, built for streamed chat." \
    org.opencontainers.image.licenses="MIT"
# By number, so that Kubernetes can check runAsNonRoot.
# Nothing but the store is written, so the root can be read-only.
USER 65532:65532
VOLUME /var/lib/sidelight
WORKDIR /app
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# It asks the port that the file of the running command names.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["sidelight", "healthcheck", "--pid", "1"]
ENTRYPOINT ["sidelight"]
CMD ["run", "--config", "/etc/sidelight/sidelight.yaml"]
