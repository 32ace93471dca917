ARG A=1 B=2 C
FROM alpine:$A
ARG A B=$A C
ENV X=$A$B$C
