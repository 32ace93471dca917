FROM alpine
COPY --from=x a b
FROM alpine AS x
FROM alpine
COPY --from=0 a b
