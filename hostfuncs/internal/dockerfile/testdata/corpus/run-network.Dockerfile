FROM alpine
RUN --network=none true
RUN --network=default true
RUN --network=host true
RUN --security=insecure true
RUN -- --mount=nothing
