FROM alpine AS x
COPY --from=$y a b
FROM alpine
