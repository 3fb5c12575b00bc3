# The server in an image of its own. Build it with `docker build -t trunkline .`; docs/guides/docker.md says the rest.
FROM node:24-slim AS build
WORKDIR /src
COPY package.json package-lock.json tsconfig.json ./
COPY packages ./packages
COPY scripts ./scripts
RUN npm ci
RUN npm run bundle

FROM node:24-slim
# Inside a container loopback reaches nobody; what is reached from outside is for `docker run -p` to say.
ENV NODE_ENV=production \
    TRUNKLINE_HOST=0.0.0.0 \
    TRUNKLINE_PORT=8080 \
    TRUNKLINE_DATA_DIR=/data
WORKDIR /app
COPY --from=build /src/dist/server ./
RUN mkdir --mode=700 /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080
# The image has Node, and needs no other program to ask.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.TRUNKLINE_PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "main.js"]
