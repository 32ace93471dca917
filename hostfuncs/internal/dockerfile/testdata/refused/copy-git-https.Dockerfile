FROM alpine
COPY https://github.com/a/b.git /
