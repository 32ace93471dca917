FROM alpine
ARG NAME=world
COPY <<EOF /hello.txt
hello $NAME
EOF
COPY <<"EOF" /raw.txt
hello $NAME ${
EOF
COPY <<a.conf <<b.conf file /etc/app/
one
a.conf
two
b.conf
ADD --chmod=644 <<E /e
E
