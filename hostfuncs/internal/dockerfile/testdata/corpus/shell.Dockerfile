FROM alpine
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]
RUN wget -O - https://example.com | wc -l
SHELL ["/bin/sh", "-c"]
