FROM alpine AS x
COPY --from=7 a b
FROM alpine
