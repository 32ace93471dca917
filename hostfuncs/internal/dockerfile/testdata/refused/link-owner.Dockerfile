FROM alpine
COPY --link --chown=node:node a /
