# make demo    shows what stagecraft does, step by step
# make test    runs the tests; engines for them are started where they can be, and named
# make test-long runs all of them at length, and what needs other projects' programs
# make check   runs what a change has to pass before it is committed: lint, layers, notices, short tests
# make lint    runs gofmt and golangci-lint, which .ci/lint pins
# make test-short runs the unit tests alone
# make build   gives bin/stagecraft and bin/providers/<id>.wasm, and the notices of the modules in them
# make bench   measures bin/stagecraft beside Go and Helm, and writes the table of docs/performance.md to bin/bench.md
# make bench-build measures builds beside buildx on Docker 29, and writes the table to bin/bench-build.md
# make soak    ends RUNS runs at random moments, and looks for what is left
# make fuzz    fuzzes each target for FUZZTIME, one a core at a time
# make mutate  takes each guard away in turn, or SAMPLE of them, and requires that an attack then fails

export CGO_ENABLED ?= 0
FUZZTIME ?= 1m
RUNS ?= 1000
SAMPLE ?= 0
PROVIDERS := generic encore-ts
MODULES := $(PROVIDERS:%=bin/providers/%.wasm)
HELPERS := bin/helpers/stagecraft-guard bin/helpers/stagecraft-sandbox bin/helpers/stagecraft-schema.s2
GUEST := GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -tags stagecraft_small -buildmode=c-shared -trimpath -ldflags='-s -w'
# The packages of both Go modules.
PACKAGES := ./... ./guest-sdk/...
# The race detector needs cgo.
# The time limit is for what hangs.
TEST := CGO_ENABLED=1 go test -race -timeout 60m

.PHONY: build demo check lint test test-long test-short bench bench-build soak fuzz mutate wat clean $(MODULES) $(HELPERS)

build: $(MODULES) $(HELPERS) bin/overlay.json
	go build -trimpath -ldflags='-s -w' -tags builtin,helpers -overlay bin/overlay.json -o bin/stagecraft ./cmd/stagecraft
	cp THIRD_PARTY_NOTICES.md bin/
	@wc -c bin/stagecraft | awk '{printf "%s: %.1f MB\n", $$2, $$1 / 1e6}'

# go build knows best what has changed.
$(MODULES): bin/providers/%.wasm:
	@mkdir -p bin/providers
	$(GUEST) -o $@ ./providers/$(subst -,,$*)
	sha256sum $@ >$@.sha256 || shasum -a 256 $@ >$@.sha256
	GOOS= GOARCH= go run github.com/klauspost/compress/s2/cmd/s2c -q -slower -block -o $@.s2 $@

bin/helpers/stagecraft-guard:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $@ ./hostfuncs/internal/guard/stagecraft-guard

bin/helpers/stagecraft-sandbox:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $@ ./cmd/stagecraft-sandbox

# It is started seldom, so it is compressed.
bin/helpers/stagecraft-schema.s2:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o $(basename $@) ./cmd/stagecraft-schema
	GOOS= GOARCH= go run github.com/klauspost/compress/s2/cmd/s2c -q -slower -block -o $@ $(basename $@)

# The modules and their digests are laid over providers/builtin, and the helpers over
# their package, for the build alone.
bin/overlay.json: Makefile
	@mkdir -p bin
	@{ for name in $(notdir $(MODULES)); do \
		printf '"providers/builtin/%s": "bin/providers/%s.s2", ' $$name $$name; \
		printf '"providers/builtin/%s.sha256": "bin/providers/%s.sha256", ' $$name $$name; \
	done; for name in $(notdir $(HELPERS)); do \
		printf '"cmd/stagecraft/internal/helpers/%s": "bin/helpers/%s", ' $$name $$name; \
	done; } | sed 's/\(.*\), /{"Replace": {\1}}/' >$@

demo: build
	examples/demo.sh

test:
	.ci/with-engine $(TEST) $(PACKAGES)

test-long:
	STAGECRAFT_TEST_LONG=1 .ci/with-engine $(TEST) $(PACKAGES)

# What a contributor runs before each commit.
# The go command would not see that what the first of them list has changed.
check: lint
	go test -count=1 ./cmd/stagecraft/internal/tree -run '^(TestLayers|TestOpens|TestHostCode|TestNotices|TestGuestSizes|TestGuestImports)$$'
	go test ./cmd/stagecraft/internal/hostile -run '^(TestMutationsFit|TestHostileTable)$$'
	$(MAKE) test-short

# The analyzers of go vet are in it. It is built as a file, since it reads the
# workspace, which its own module is not part of.
lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "not formatted by gofmt: $$unformatted" >&2; exit 1; }
	GOWORK=off GOFLAGS= go build -C .ci/lint -trimpath -o $(CURDIR)/bin/golangci-lint tool
	bin/golangci-lint run --timeout 10m --allow-parallel-runners $(PACKAGES)

# The unit tests: all but those of the real binary and of the whole tree.
test-short:
	go test $$(go list $(PACKAGES) | grep -v -E '/cmd/stagecraft(/internal/(bench|clitest|conduct|docs|hostile|tree))?$$')

bench: build
	@mkdir -p bin
	go test ./cmd/stagecraft/internal/bench -run '^TestMeasure$$' -timeout 60m -v -measure $(CURDIR)/bin/bench.md
	@cat bin/bench.md

bench-build:
	@mkdir -p bin
	.ci/engine/build >/dev/null
	.ci/with-engine --only docker-29 go test ./cmd/stagecraft/internal/bench -run '^TestMeasureBuilds$$' -timeout 60m -v -measure-builds $(CURDIR)/bin/bench-build.md
	@cat bin/bench-build.md

soak:
	CGO_ENABLED=1 go test -race ./cmd/stagecraft/internal/hostile -run '^TestSoak$$' -timeout 60m -v -soak $(RUNS)

fuzz:
	.ci/fuzz $(FUZZTIME)

# Each guard is a build of its own.
mutate:
	.ci/with-engine go test ./cmd/stagecraft/internal/hostile -run '^TestMutations$$' -timeout 3h -v -mutate -sample $(SAMPLE)

# The hostile modules of the tests are committed with their sources; wat2wasm
# is in Debian's package wabt.
wat:
	for f in runtime/sandbox/testdata/*.wat; do wat2wasm $$f -o $${f%.wat}.wasm || exit 1; done

clean:
	rm -rf bin
