FROM alpine
# check=skip=all
# app is what is built
FROM alpine AS app
# check=skip=all
# PORT is where it listens
ARG PORT=80
