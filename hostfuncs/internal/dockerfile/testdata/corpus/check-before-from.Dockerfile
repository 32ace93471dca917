ARG BASE=alpine
# check=skip=InvalidDefaultArgInFrom
FROM $BASE
# check=skip=all
ENV a b
