# One image for the bridge (the default command) and the shop (`node services/shop/main.ts`).
FROM node:24.21.0-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The native module brings its binaries in its package, so no install script has to run.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-trixie-slim
ENV NODE_ENV=production \
    METERBRIDGE_DATA_DIR=/data \
    METERBRIDGE_LISTEN=0.0.0.0:9464 \
    METERBRIDGE_SHOP_LISTEN=0.0.0.0:3000
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY services ./services
# A new named volume takes over this folder's owner.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 9464 3000
# `docker run -e HEALTH_URL=http://127.0.0.1:3000/healthz` for the shop.
ENV HEALTH_URL=http://127.0.0.1:9464/healthz
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(process.env.HEALTH_URL).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# node itself is process 1, so that SIGTERM reaches it.
ENTRYPOINT ["node", "--disable-warning=TimeoutNegativeWarning", "--max-semi-space-size=16"]
CMD ["services/bridge/main.ts"]
