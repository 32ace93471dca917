FROM alpine
RUN --mount="type=cache,target=/c" --mount=type=cache,target="/a b" true
