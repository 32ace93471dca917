ARG ELIXIR_VERSION=1.18.1
ARG OTP_VERSION=27.2
ARG DEBIAN_VERSION=bookworm-20250113-slim
ARG BUILDER_IMAGE="hexpm/elixir:${ELIXIR_VERSION}-erlang-${OTP_VERSION}-debian-${DEBIAN_VERSION}"
ARG RUNNER_IMAGE="debian:${DEBIAN_VERSION}"
FROM ${BUILDER_IMAGE} as builder
RUN mix local.hex --force
FROM ${RUNNER_IMAGE}
ENV LANG en_US.UTF-8
ENV LANGUAGE en_US:en
COPY --from=builder --chown=nobody:root /app/_build ./
