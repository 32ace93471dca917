ARG A
FROM $A AS x
FROM alpine
