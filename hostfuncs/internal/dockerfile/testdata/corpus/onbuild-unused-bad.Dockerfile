FROM alpine AS a
ONBUILD COPY --from=b / /
ONBUILD NOTHING
FROM alpine
