FROM alpine
COPY git@github.com:a/b.git /
