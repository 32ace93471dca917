FROM alpine AS x
COPY --from=y a b
FROM alpine AS y
COPY --from=x a b
FROM alpine
