# a comment
# syntax=not/read
# escape=`
FROM alpine
RUN a \
 b
