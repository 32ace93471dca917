FROM alpine
ARG U=https://example.com
COPY $U/x /
