FROM alpine
ENV A=\$B C=$$ D="$" E='${' F=a$
RUN echo $((1+2)) ${X:-${Y:-z}} $(date)
LABEL x=\${a}
