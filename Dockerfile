# The server with its web UI. Build: docker build -t ai-agent-marketplace .   Run: see compose.yaml and docs/operations.md
FROM node:24-slim AS ui
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build
COPY LICENSE /src/
COPY editors /src/editors
RUN ln -s ../../frontend/node_modules /src/editors/vscode/node_modules \
    && npm --prefix /src/editors/vscode run build

FROM python:3.13-slim AS build
WORKDIR /src
COPY backend/requirements/run.lock ./
RUN python -m venv /opt/marketplace \
    && /opt/marketplace/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r run.lock \
    && /opt/marketplace/bin/pip check
COPY backend/requirements/build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --no-deps --require-hashes --only-binary :all: -r build.lock
COPY backend ./backend
COPY --from=ui /src/frontend/dist ./backend/agent_marketplace/web
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /opt/wheel ./backend \
    && /opt/marketplace/bin/pip install --no-cache-dir --no-deps /opt/wheel/*.whl

FROM python:3.13-slim
# The embedded model's runtime needs libgomp, which the slim image lacks; its version is the base image's own.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --no-log-init --uid 10001 --create-home --home-dir /var/lib/marketplace marketplace
COPY --from=build /opt/marketplace /opt/marketplace
ENV PATH=/opt/marketplace/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MARKETPLACE_DATA_DIR=/var/lib/marketplace/data \
    MARKETPLACE_MODELS_DIR=/var/lib/marketplace/models \
    MARKETPLACE_LOG_FORMAT=json
USER 10001
VOLUME /var/lib/marketplace
EXPOSE 8000
# The stop signal drains: running answers get MARKETPLACE_GRACE seconds (30), so give the container longer than that.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["agent-marketplace"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
