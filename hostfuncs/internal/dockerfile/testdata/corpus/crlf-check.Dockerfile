FROM alpine
# check=skip=all
CMD echo hi
