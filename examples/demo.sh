#!/usr/bin/env bash
# examples/demo.sh shows step by step what stagecraft does with examples/go-http:
# dev, Ctrl-C, build, and the built image. "make demo" builds bin/stagecraft and
# runs it.
#
# It needs bash and go, no terminal, and nothing in HOME. It uses the available
# engine, Docker or Podman, and names it; it starts Podman's service if needed.
# Without an engine, Stagecraft builds the image into a directory, and the demo
# shows its content. It leaves no process, container or directory behind, also on
# Ctrl-C; an image in an engine stays.
#
# Exit status: 0; 1 if stagecraft misbehaves; 130 on Ctrl-C.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
stagecraft=$PWD/bin/stagecraft
dev= container= layout= podman= service=

# Without job control, a shell's background processes ignore Ctrl-C, and no shell
# can undo that.
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

# free_port sets port to one on which nothing answers.
free_port() {
	port=$((20000 + RANDOM % 20000))
	while (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		port=$((20000 + RANDOM % 20000))
	done
}

# ask prints the answer of the server on $port.
ask() (
	exec 3<>"/dev/tcp/127.0.0.1/$port" || exit
	printf 'GET / HTTP/1.0\r\n\r\n' >&3
	status= line=
	read -r -t 5 status <&3 || exit
	while read -r -t 5 line <&3 && [ "$line" != $'\r' ]; do :; done
	cat <&3
	[[ $status == *" 200 "* ]]
) 2>/dev/null

# await_answer ALIVE... asks until there is an answer, for up to ten minutes, while
# the command ALIVE succeeds.
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
	note "stagecraft.yml names the provider \"generic\" and the command \"go run .\"."
	note "The provider is a WebAssembly module and may run only this command."
	# With job control the job has its own process group, and ignores SIGINT only
	# if the demo does.
	set -m
	(cd examples/go-http && PORT=$port exec "$stagecraft" dev) </dev/null &
	dev=$!
	set +m
	note "waiting for the server; compiling it can take a minute or two"
	await_answer dev_runs || fail "the server of stagecraft dev does not answer"

	step "Ctrl-C: SIG$interrupt to the process group of stagecraft dev"
	[ "$interrupt" = INT ] || note "the demo runs in the background, where SIGINT is ignored"
	local code=0
	kill -s "$interrupt" -- "-$dev"
	wait "$dev" || code=$?
	dev=
	case $code in
	0 | 1 | 130) note "stagecraft dev ended with exit code $code, that of the interrupted go run," ;;
	*) fail "stagecraft dev ended with exit code $code" ;;
	esac
	! ask >/dev/null || fail "the server still answers"
	note "and the server stopped"
}

# find_podman makes Podman the engine if the environment names none and there is no
# Docker.
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

# build builds the example and sets engine to the one that built it.
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
	note "the image is based on scratch and contains only this static binary"
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

# show_embedded builds without an engine and shows the result.
show_embedded() {
	note "no engine answers; the Dockerfile has no RUN, so none is needed"
	note "if --output says where the image goes"
	layout=$(mktemp -d)
	step "stagecraft build --output oci:$layout/image"
	image=$("$stagecraft" -C examples/go-http build --output "oci:$layout/image" --iidfile "$layout/id") ||
		fail "stagecraft build ended with exit code $?"
	note "built $image:"

	local manifest config layer
	manifest=$(digests "$layout/image/index.json" | head -n 1)
	config=$(digests "$(blob "$manifest")" | head -n 1)
	[ "$config" = "$(cat "$layout/id")" ] || fail "expected image $(cat "$layout/id"), got $config"
	note "manifest  $manifest"
	note "settings  $config"
	for layer in $(digests "$(blob "$manifest")" | tail -n +2); do
		note "layer     $layer, with"
		tar -tvzf "$(blob "$layer")" | sed 's/^/              /'
		tar -xzOf "$(blob "$layer")" server | cmp - examples/go-http/bin/server || fail "its server differs from bin/server"
	done
	step "the image's settings"
	cat "$(blob "$config")"
	echo
	step "to see it run, start an engine"
	note "Debian:     apt-get install docker.io, as root"
	note "elsewhere:  https://docs.docker.com/engine/install/"
	note "DOCKER_HOST or docker's current context selects a running engine"
}

# digests prints the digests in a JSON file, in their order.
digests() { grep -o 'sha256:[0-9a-f]\{64\}' "$1"; }

# blob prints the path of the blob with a digest.
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
	# If this machine is a container, Podman gives root's containers more files and
	# processes than root itself has.
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
	note "stopped and removed the container; to remove the image:"
	note "docker image rm $image"
}

[ -x "$stagecraft" ] || fail "bin/stagecraft is missing: run make build"
show_dev
show_build
step "done"
