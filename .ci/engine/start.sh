# Starts and ends engines, for .ci/with-engine, which has $dir and say.
# shellcheck shell=bash

# The processes that wait for the engines, and their directories, by name.
declare -A waits=() homes=()

# start NAME COMMAND... starts an engine, in the directory $dir/NAME. The engine
# is the first process of a PID namespace, so that nothing it starts outlives it,
# in a session of its own, so that Ctrl-C is CMD's alone; a SIGKILL of the script
# ends it too.
start() {
	local name=$1
	shift
	homes[$name]=$dir/$name
	setsid setpriv --pdeathsig KILL \
		unshare --mount --propagation slave --pid --mount-proc --kill-child "$@" \
		</dev/null >"$dir/$name/log" 2>&1 &
	waits[$name]=$!
	await "$name"
}

# start_docker NAME DOCKERD DRIVER starts dockerd, with the storage driver that it
# chooses itself where DRIVER is empty. /run/containerd and /etc/docker are
# directories of ours in its mount namespace: it then finds no containerd of the
# system, starts its own, and keeps its key to itself.
start_docker() {
	local home=$dir/$1
	rm -rf "$home"
	mkdir -p "$home/containerd" "$home/etc" /run/containerd /etc/docker || return
	printf '{}\n' >"$home/daemon.json"
	start "$1" bash -c '
		mount --bind "$1/containerd" /run/containerd &&
			mount --bind "$1/etc" /etc/docker || exit 1
		exec "$2" --config-file "$1/daemon.json" --host "unix://$1/docker.sock" \
			--data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/docker.pid" \
			--bridge=none --iptables=false --ip6tables=false --ip-forward=false \
			--ip-masq=false --userland-proxy=false ${3:+--storage-driver "$3"}
	' dockerd "$home" "$2" "$3"
}

# start_podman starts Podman's service, which speaks the classic build API. It
# keeps its state in a directory of ours.
start_podman() {
	local home=$dir/podman
	mkdir -p "$home/root" "$home/run" "$home/tmp" && podman_settings "$home" || return
	start podman env CONTAINERS_REGISTRIES_CONF="$home/registries.conf" CONTAINERS_CONF="$home/containers.conf" \
		podman --root "$home/root" --runroot "$home/run" --tmpdir "$home/tmp" \
		--storage-driver vfs --cgroup-manager cgroupfs --events-backend file \
		system service --time=0 "unix://$home/docker.sock"
}

# podman_settings writes them to a directory. Docker needs no TLS for a registry
# on the loopback interface, Podman has to be told. A network of the steps' own is
# one without a way out: CNI's plug-in for that would leave a bridge and rules of
# a firewall on the machine. Podman's newer plug-in takes away what it made.
podman_settings() {
	printf '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n' >"$1/registries.conf"
	: >"$1/containers.conf"
	[ -x /usr/lib/cni/loopback ] || return 0
	mkdir -p "$1/net"
	printf '[network]\nnetwork_backend = "cni"\nnetwork_config_dir = "%s"\n' "$1/net" >"$1/containers.conf"
	printf '{"cniVersion": "0.4.0", "name": "podman", "plugins": [{"type": "loopback"}]}\n' >"$1/net/podman.conflist"
}

# serves NAME tells whether an engine serves its socket. dockerd logs it; Podman
# makes the socket last.
serves() {
	case $1 in
	podman) [ -S "${homes[$1]}/docker.sock" ] ;;
	*) grep -qs 'API listen on ' "${homes[$1]}/log" ;;
	esac
}

# await NAME gives up after a minute, or when the engine is gone.
await() {
	local end=$((SECONDS + 60))
	while [ "$SECONDS" -lt "$end" ] && kill -0 "${waits[$1]}" 2>/dev/null; do
		serves "$1" && return
		sleep 0.1
	done
	tail -n 20 "${homes[$1]}/log" >&2
	stop "$1"
	return 1
}

# stop NAME stops an engine, which has 30 seconds to end its containers. dockerd
# takes no notice of a SIGTERM before it serves, and has no containers then.
stop() {
	local wait=${waits[$1]} first signal=KILL end=$((SECONDS + 30))
	first=$(grep -ls "^PPid:[[:space:]]*$wait\$" /proc/[0-9]*/status | cut -d/ -f3)
	serves "$1" && signal=TERM
	kill -s "$signal" ${first:-"$wait"} 2>/dev/null
	while kill -0 "$wait" 2>/dev/null; do
		if [ "$SECONDS" -ge "$end" ]; then
			say "$1 does not end, killing it"
			kill -KILL ${first:-"$wait"} 2>/dev/null
			break
		fi
		sleep 0.05
	done
	wait "$wait" 2>/dev/null
	unset "waits[$1]"
}

stop_all() {
	local name
	for name in "${!waits[@]}"; do stop "$name"; done
}
