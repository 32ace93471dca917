# Installs engines from Debian's packages, for .ci/with-engine, which has say.
# shellcheck shell=bash

policy=/usr/sbin/policy-rc.d policy_is_ours=

# install_package PROGRAM PACKAGE installs a program where it is missing, in one
# script at a time. A package would start services of the system; policy-rc.d
# forbids that meanwhile.
install_package() {
	command -v "$1" >/dev/null && return
	command -v apt-get >/dev/null || return
	exec 9>/run/stagecraft-engine-install.lock
	flock 9
	if ! command -v "$1" >/dev/null; then
		say "installing $2"
		if [ ! -e "$policy" ]; then
			policy_is_ours=1
			printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
		fi
		apt-get update >&2 9>&- &&
			DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
				install -y --no-install-recommends "$2" >&2 9>&-
		restore_policy
	fi
	exec 9>&-
	command -v "$1" >/dev/null
}

restore_policy() {
	[ -z "$policy_is_ours" ] || rm -f "$policy"
	policy_is_ours=
}
