#!/bin/sh
# make.sh STAGECRAFT writes the files in README.md with an earlier version.
set -eu
cd "$(dirname "$0")"
stagecraft=$1 kept=$PWD/project shop=/home/you/shop
rm -rf /home/you
mkdir -p "$shop"
cp -R project/. "$shop"
cd "$shop"
rm -f stagecraft.lock stagecraft.policy.yml audit.jsonl
image="--engine embedded --tag registry.example/acme/shop:1 --output oci:image"
run() {
	env -i PATH=/usr/bin:/bin HOME=/home/you DOCKER_HOST=unix:///no/engine.sock "$stagecraft" "$@"
	rm -rf image
}

run provider trust -c maker.yml maker --yes
for config in stagecraft.yml maker.yml; do
	run policy learn dev -c $config --allow --out learnt
	run policy learn build -c $config --allow $image --out learnt
done
mv learnt stagecraft.policy.yml

run plan build -c maker.yml $image --out plan.json
run plan build $image --out built-in-plan.json

run dev --audit audit.jsonl
run dev -c maker.yml --audit audit.jsonl
run dev --audit audit.jsonl --policy ceiling.yml || test $? = 3
run build --audit audit.jsonl $image
run build --audit audit.jsonl -c maker.yml --plan plan.json --engine embedded --output oci:image
mv /home/you/.local/state/stagecraft/audit/*/heads.json .

openssl genpkey -algorithm ed25519 -out key
openssl pkey -in key -pubout -out pub.pem
run build -c maker.yml $image --policy release.yml --attest statement.json --attest-key key
rm key
cp -R . "$kept"
