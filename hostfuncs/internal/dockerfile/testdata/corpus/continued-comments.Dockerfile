FROM alpine
RUN apk add \
# a comment
    curl \
    # another one
  # and one more
    git
ENV A=1 \
# x
  B=2
