FROM alpine
LABEL org.opencontainers.image.source="https://example.com/a" \
      org.opencontainers.image.licenses=MIT
LABEL multi="a \
b" x='$y' z="${A:-b}"
