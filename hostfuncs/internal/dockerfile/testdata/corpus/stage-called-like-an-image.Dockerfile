FROM alpine AS node
FROM node:22
COPY --from=node a b
FROM node
