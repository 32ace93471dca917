FROM alpine
FROM alpine
COPY --from=0 a b
FROM alpine
COPY --from=1 a b
