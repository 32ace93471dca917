# check=experimental=all
FROM alpine:3
# check=experimental=CopyIgnoredFile
COPY . .
