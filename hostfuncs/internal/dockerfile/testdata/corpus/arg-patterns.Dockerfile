ARG V=1.2.3
FROM alpine:${V%.*} AS a
FROM alpine:${V%%.*} AS b
FROM alpine:${V#*.} AS c
FROM alpine:${V##*.} AS d
FROM alpine:${V/./-} AS e
FROM alpine:${V//./-}
