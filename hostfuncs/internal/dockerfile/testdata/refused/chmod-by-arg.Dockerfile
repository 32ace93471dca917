FROM alpine
ARG M=8
COPY --chmod=$M a /
