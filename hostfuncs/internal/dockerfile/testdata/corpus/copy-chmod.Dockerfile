FROM alpine
ARG MODE=755
COPY --chmod=$MODE a /
COPY --chmod=0644 b /
COPY --chmod=+x c /
COPY --chmod=a-w,u+r d /
COPY --chmod=$A e /
COPY --chown=$B --link f /
