FROM golang:1.26 AS build
WORKDIR /src
RUN --mount=target=. --mount=type=cache,target=/root/.cache go build -o /app ./...
FROM scratch
COPY --link --from=build /app /
