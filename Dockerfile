# syntax=docker/dockerfile:1
# One image for every command of Hubbub: `docker run hubbub edge`, `presence`, `start`, `token`. And with `--target example` one
# for the services of the examples.

# The native engine needs glibc, which Alpine lacks. Debian 13 has glibc 2.41 and Node 22, for which both builds exist.
# apps/edge/src/listener/engine.ts takes the newer one that loads. Pin a digest where you can reach the registry.
ARG NODE_IMAGE=node:22.23.2-trixie-slim

FROM ${NODE_IMAGE} AS compiled
WORKDIR /src
COPY package.json package-lock.json .npmrc tsconfig.base.json ./
COPY packages ./packages
COPY apps ./apps
# The lockfile names workspaces that are not copied here: `npm ci` would refuse it. The versions are those of the lockfile.
RUN npm install --no-save --include=dev --no-audit --no-fund --loglevel=error
# The command line and what it refers to: not the examples, not the playground, which production does not serve.
RUN node_modules/.bin/tsc -b apps/hubbub && node apps/hubbub/bundle.mjs

FROM compiled AS example-build
COPY examples ./examples
RUN npm install --no-save --include=dev --no-audit --no-fund --loglevel=error
RUN node_modules/.bin/tsc -b examples
# A service reaches its hub through Redis: the hub itself, with its engine, is in the other image. The bundler of the pages
# needs no script to be installed.
RUN npm pkg delete 'dependencies.@hubbub/cli' --workspace=@hubbub/examples
RUN rm -rf node_modules && npm install --omit=dev --ignore-scripts --workspace=@hubbub/examples --include-workspace-root=false --no-save --no-audit --no-fund --loglevel=error
RUN rm -rf packages/*/src packages/*/test examples/test

FROM ${NODE_IMAGE} AS example
ENV NODE_ENV=production \
    EXAMPLE_HOST=0.0.0.0 \
    EXAMPLE_PORT=3000
WORKDIR /app
COPY --from=example-build /src/package.json ./
COPY --from=example-build /src/node_modules ./node_modules
COPY --from=example-build /src/packages ./packages
COPY --from=example-build /src/examples ./examples
COPY deploy/image/healthy.sh ./healthy.sh

# Its page is bundled into /tmp when it starts; nothing else is written to.
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/app/healthy.sh", "3000"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "examples/dist/service/main.js"]
CMD ["chat"]

FROM compiled AS build
# Only the command line and its packages, without compilers and test tools: npm does not remove these for one workspace.
RUN rm -rf node_modules && npm install --omit=dev --workspace=@hubbub/cli --include-workspace-root=false --no-save --no-audit --no-fund --loglevel=error
RUN rm -rf packages/*/src apps/*/src apps/*/playground packages/*/test apps/*/test

# The last one, so the one that `docker build .` makes.
FROM ${NODE_IMAGE} AS runtime
ENV NODE_ENV=production \
    HUBBUB_HOST=0.0.0.0 \
    HUBBUB_ADMIN_HOST=0.0.0.0 \
    PATH=/app/node_modules/.bin:$PATH
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules ./node_modules
COPY --from=build /src/packages ./packages
COPY --from=build /src/apps ./apps
COPY deploy/image/healthy.sh ./healthy.sh

# The user of the Node image; it owns nothing here, and nothing here is written to: the root file system may be read-only.
USER node
# 8080 for clients, 8081 for /healthz, /readyz and /metrics, which never go to the internet.
EXPOSE 8080 8081

# Alive, not ready: an edge that drains or waits for Redis must not be killed for it. Balancers ask /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["/app/healthy.sh"]
# A stopping edge drains: give it more than HUBBUB_SHUTDOWN_TIMEOUT_MS (`docker stop --timeout`, stop_grace_period).
STOPSIGNAL SIGTERM
ENTRYPOINT ["hubbub"]
CMD ["start"]
