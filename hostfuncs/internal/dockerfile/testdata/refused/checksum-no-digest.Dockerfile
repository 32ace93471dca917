FROM alpine
ADD --checksum=abc https://a/b /
