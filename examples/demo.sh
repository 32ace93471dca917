#!/usr/bin/env bash
# examples/demo.sh shows what stagecraft does with examples/go-http, step by
# step: dev, Ctrl-C, build, and the built image. "make demo" builds bin/stagecraft
# and starts it.
#
# It wants bash and go, no terminal and nothing of HOME. It takes whichever engine
# is there, Docker or Podman, and says which; Podman's service is started for it
# where it doesn't run.
# Without an engine Stagecraft builds the image by itself, into a directory,
# and the demo shows what is in it. It leaves no process, no container and no
# directory, on Ctrl-C neither; the image that an engine has stays.
#
# Exit status: 0; 1 where stagecraft did not do what it should; 130 on Ctrl-C.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
stagecraft=$PWD/bin/stagecraft
dev= container= layout= podman= service=

# A shell without job control has what it starts in the background ignore
# Ctrl-C, and no shell can undo that.
interrupt=INT
[ -z "$(trap -p INT)" ] || interrupt=TERM

step() { printf '\n==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

cleanup() {
	trap '' INT TERM HUP
	if [ -n "$dev" ]; then
		kill -s "$interrupt" -- "-$dev" 2>/dev/null || true
		wait "$dev" 2>/dev/null || true
	fi
	[ -z "$container" ] || docker rm --force "$container" >/dev/null 2>&1 || true
	if [ -n "$podman" ]; then
		kill "$podman" 2>/dev/null || true
		wait "$podman" 2>/dev/null || true
	fi
	[ -z "$service" ] || rm -rf "$service"
	[ -z "$layout" ] || rm -rf "$layout"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

# free_port finds a port that nothing answers on.
free_port() {
	port=$((20000 + RANDOM % 20000))
	while (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((20000 + RANDOM % 20000))
	done
}

# ask prints what the server on $port answers.
ask() (
	exec 3<>"/dev/tcp/127.0.0.1/$port" || exit
	printf 'GET / HTTP/1.0\r\n\r\n' >&3
	status= line=
	read -r -t 5 status <&3 || exit
	while read -r -t 5 line <&3 && [ "$line" != $'\r' ]; do :; done
	cat <&3
	[[ $status == *" 200 "* ]]
) 2>/dev/null

# await_answer ALIVE... asks until there is an answer, for ten minutes, as long
# as the command ALIVE succeeds.
await_answer() {
	local end=$((SECONDS + 600)) answer
	until answer=$(ask) && [ -n "$answer" ]; do
		"$@" || return
		[ "$SECONDS" -lt "$end" ] || return
		sleep 0.1
	done
	note "http://localhost:$port answers: $answer"
}

dev_runs() { kill -0 "$dev" 2>/dev/null; }
container_runs() { [ "$(docker inspect --format '{{.State.Running}}' "$container" 2>/dev/null)" = true ]; }

show_dev() {
	free_port
	step "stagecraft dev, in examples/go-http, with PORT=$port"
	note "stagecraft.yml names the provider \"generic\" and the command \"go run .\";"
	note "the provider is WebAssembly in a sandbox and may run this command alone."
	# With job control the job has a process group of its own, and ignores SIGINT
	# only where the demo itself does.
	set -m
	(cd examples/go-http && PORT=$port exec "$stagecraft" dev) </dev/null &
	dev=$!
	set +m
	note "waiting for the server; go compiles it first, which can take a minute or two"
	await_answer dev_runs || fail "the server of stagecraft dev does not answer"

	step "Ctrl-C: SIG$interrupt to the process group of stagecraft dev"
	[ "$interrupt" = INT ] || note "SIGINT would be ignored, since the demo runs in the background"
	local code=0
	kill -s "$interrupt" -- "-$dev"
	wait "$dev" || code=$?
	dev=
	case $code in
	0 | 1 | 130) note "stagecraft dev has ended with exit code $code, that of an interrupted go run," ;;
	*) fail "stagecraft dev ended with exit code $code" ;;
	esac
	! ask >/dev/null || fail "the server still answers"
	note "and the server is gone"
}

# find_podman has Podman be the engine where the environment names none and no
# Docker is there.
find_podman() {
	[ -z "${DOCKER_HOST:-}${DOCKER_CONTEXT:-}" ] && [ ! -S /var/run/docker.sock ] || return 0
	[ ! -e "${DOCKER_CONFIG:-$HOME/.docker}/config.json" ] || return 0
	command -v podman >/dev/null || return 0
	service=$(mktemp -d)
	podman system service --time=0 "unix://$service/s" </dev/null >"$service/log" 2>&1 &
	podman=$!
	local end=$((SECONDS + 60))
	until [ -S "$service/s" ]; do
		kill -0 "$podman" 2>/dev/null && [ "$SECONDS" -lt "$end" ] || return 0
		sleep 0.1
	done
	export DOCKER_HOST=unix://$service/s
}

# build builds the example, and finds which engine it says that it builds with.
build() {
	local said code=0
	said=$(mktemp)
	image=$("$stagecraft" -C examples/go-http build -v 2>"$said") || code=$?
	cat "$said" >&2
	engine=$(sed -n 's/^.*building with \(.*)\) at .*$/\1/p' "$said")
	rm -f "$said"
	return "$code"
}

show_build() {
	step "CGO_ENABLED=0 GOOS=linux go build -o bin/server ."
	note "the image is made from scratch and has this static binary alone"
	(cd examples/go-http && CGO_ENABLED=0 GOOS=linux go build -trimpath -o bin/server .) ||
		fail "go build failed"

	find_podman
	step "stagecraft build -v"
	local code=0
	build || code=$?
	case $code in
	0)
		note "built $image with $engine"
		show_image
		;;
	6) show_embedded ;;
	*) fail "stagecraft build ended with exit code $code" ;;
	esac
}

# show_embedded builds without an engine, and looks into what was built.
show_embedded() {
	note "no engine answers; the Dockerfile runs nothing, so none is needed"
	note "where it is said where the image goes"
	layout=$(mktemp -d)
	step "stagecraft build --output oci:$layout/image"
	image=$("$stagecraft" -C examples/go-http build --output "oci:$layout/image" --iidfile "$layout/id") ||
		fail "stagecraft build ended with exit code $?"
	note "built $image:"

	local manifest config layer
	manifest=$(digests "$layout/image/index.json" | head -n 1)
	config=$(digests "$(blob "$manifest")" | head -n 1)
	[ "$config" = "$(cat "$layout/id")" ] || fail "the image is $config, and not $(cat "$layout/id")"
	note "manifest  $manifest"
	note "settings  $config"
	for layer in $(digests "$(blob "$manifest")" | tail -n +2); do
		note "layer     $layer, with"
		tar -tvzf "$(blob "$layer")" | sed 's/^/              /'
		tar -xzOf "$(blob "$layer")" server | cmp - examples/go-http/bin/server || fail "its server is another one"
	done
	step "the image's settings"
	cat "$(blob "$config")"
	echo
	step "to see it run, start an engine"
	note "Debian:     apt-get install docker.io, as root"
	note "elsewhere:  https://docs.docker.com/engine/install/"
	note "one that runs already is found by DOCKER_HOST or docker's current context"
}

# digests prints those that a JSON file has, in its order.
digests() { grep -o 'sha256:[0-9a-f]\{64\}' "$1"; }

# blob is the file of a digest, whose name is what is in it.
blob() { printf '%s/image/blobs/%s' "$layout" "${1/://}"; }

show_image() {
	free_port
	if ! command -v docker >/dev/null; then
		step "the image is not run: the command docker is missing"
		note "Debian 13: apt-get install docker-cli, as root; then"
		note "docker run --rm -p 8080:8080 $image"
		return
	fi
	# An engine without its bridge gives containers the host's network.
	local options=(--publish "127.0.0.1:$port:8080")
	[ "$(docker network inspect --format '{{.Driver}}' bridge 2>/dev/null)" = bridge ] || options=(--network host --env "PORT=$port")
	# Podman gives root's containers more files and processes than root itself may
	# have where this machine is a container.
	[ -z "$podman" ] || options+=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
	step "docker run ${options[*]} $image"
	container=stagecraft-demo-$$
	docker run --detach --name "$container" "${options[@]}" "$image" >/dev/null
	await_answer container_runs || {
		docker logs "$container" >&2 || true
		fail "the container does not answer"
	}
	docker stop "$container" >/dev/null
	docker rm "$container" >/dev/null
	container=
	note "the container is stopped and removed; the image stays:"
	note "docker image rm $image"
}

[ -x "$stagecraft" ] || fail "bin/stagecraft is missing: run make build"
show_dev
show_build
step "done"
