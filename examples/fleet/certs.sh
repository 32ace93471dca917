#!/bin/sh
# certs.sh DIR NAME... creates the certificates of a BuildKit daemon and its
# clients: DIR/daemon and DIR/client, each with ca.pem, cert.pem and key.pem. Each
# NAME is a host or address by which clients reach the daemon.
#
# The signing key is deleted at the end, so that nobody can add a client. To renew
# the certificates, run it again and replace both secrets. DAYS is their lifetime,
# by default 365. It needs openssl only.
set -eu
umask 077

[ $# -ge 2 ] || {
	echo "usage: certs.sh DIR NAME..." >&2
	exit 64
}
dir=$1
shift
names=
for name; do
	case $name in
	*[!0-9.]*) kind=DNS ;;
	*) kind=IP ;;
	esac
	names=$names${names:+,}$kind:$name
done

mkdir "$dir" "$dir/daemon" "$dir/client"
trap 'rm -f "$dir/ca.key" "$dir/request"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "${DAYS:-365}" \
	-subj "/CN=builds" -addext "keyUsage=critical,keyCertSign" \
	-keyout "$dir/ca.key" -out "$dir/daemon/ca.pem" 2>/dev/null
cp "$dir/daemon/ca.pem" "$dir/client/ca.pem"

# sign WHO USE NAMES creates the key and the certificate of one side.
sign() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
		-addext "extendedKeyUsage=$2" -addext "subjectAltName=$3" \
		-keyout "$dir/$1/key.pem" -out "$dir/request" 2>/dev/null
	openssl x509 -req -in "$dir/request" -CA "$dir/daemon/ca.pem" -CAkey "$dir/ca.key" \
		-copy_extensions copy -days "${DAYS:-365}" -out "$dir/$1/cert.pem" 2>/dev/null
}
sign daemon serverAuth "$names"
sign client clientAuth "DNS:client"
