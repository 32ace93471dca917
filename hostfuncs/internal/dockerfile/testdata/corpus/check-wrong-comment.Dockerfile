FROM alpine
# check=nothing-of-that-kind
MAINTAINER someone
# check
RUN true
