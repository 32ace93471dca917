FROM scratch AS base-amd64
COPY amd64 /
FROM scratch AS base-arm64
COPY arm64 /
FROM base-$TARGETARCH
