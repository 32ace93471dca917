# syntax=docker/dockerfile:1-labs
FROM alpine
COPY --parents --exclude=*.tmp ./a/./b /x/
RUN --device=vendor.com/device=gpu true
