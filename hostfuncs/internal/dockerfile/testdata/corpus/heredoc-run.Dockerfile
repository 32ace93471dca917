FROM alpine
RUN <<EOF
set -e
apk add curl
EOF
RUN <<-"EOT" bash
	echo $HOME
	EOT
RUN <<A cat >a && <<B cat >b
x
A
y
B
