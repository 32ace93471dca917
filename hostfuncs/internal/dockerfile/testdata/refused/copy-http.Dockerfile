FROM alpine
COPY http://example.com/x /
