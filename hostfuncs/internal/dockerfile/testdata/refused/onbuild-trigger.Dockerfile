FROM alpine AS a
ONBUILD COPY https://example.com/x /
FROM a
