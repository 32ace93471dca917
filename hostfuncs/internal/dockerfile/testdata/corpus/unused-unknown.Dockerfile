FROM img-$BUILDARCH AS x
RUN true
FROM alpine
