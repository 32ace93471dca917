FROM --platform=linux/amd64/a/b/c alpine AS x
FROM alpine
