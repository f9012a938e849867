# baton: what people and CI run. `make help` lists it.

NEXT        := 0.1.0
ROOT        := $(CURDIR)
GO          := $(shell tools/findgo.sh 2>/dev/null || echo go)
FUZZTIME    ?= 60s
GIT         := git -c safe.directory=$(ROOT)

# 1.2.3 at a tag, 1.2.3-4-gabcdef0 after it, NEXT-dev-... before the first one.
ifndef VERSION
VERSION     := $(shell tools/version.sh $(NEXT))
endif
LDFLAGS     := -s -w -X main.version=$(VERSION)

# -buildvcs=false: the version comes from VERSION, and under sudo git refuses a
# checkout that belongs to another user.
BUILD       := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

# Tests run `go` by name; daemons live in sbin, which is not on a user's PATH.
ifneq ($(dir $(GO)),./)
export PATH := $(patsubst %/,%,$(dir $(GO))):$(PATH)
endif
export PATH := $(PATH):/usr/sbin:/sbin
export VERSION GO

# sudo that keeps HOME would fill the caller's ~/.cache/go-build with root's files.
ifeq ($(shell id -u),0)
export HOME := $(shell getent passwd 0 | cut -d: -f6)
endif

# KEEP runs a command and then gives what it wrote in the checkout back to the
# checkout's owner, so that `sudo make test` does not break a later `make build`.
KEEP        := tools/keepowner.sh

.DEFAULT_GOAL := help
.PHONY: help build test race lint lint-more fmt fuzz fuzz-smoke fuzz-compat bench bench-failover bench-vrrp e2e matrix deb deb-test demo vagrant-box vagrant-up clean need-go tools

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

need-go:
	@tools/findgo.sh >/dev/null

build: need-go ## build bin/baton
	@$(KEEP) env $(BUILD) -o bin/baton ./cmd/baton

test: need-go ## run every test: vet, unit (race), allocations, fuzz smoke, e2e (root runs them all)
	@tools/deps.sh test
	@$(KEEP) tools/test.sh all

race: need-go ## run the unit tests under the race detector
	@$(KEEP) tools/test.sh race

e2e: need-go ## run the end-to-end tests (root)
	@tools/deps.sh test
	@$(KEEP) tools/test.sh e2e

matrix: need-go ## every fault against Debian's keepalived, in either role, by every kind of advert (root; minutes)
	@tools/deps.sh test
	@BATON_MATRIX=1 $(KEEP) $(GO) test -buildvcs=false -count=1 -v -run TestMatrix ./test/e2e

fuzz: need-go ## run each fuzz target for FUZZTIME (default 60s)
	@$(KEEP) tools/fuzz.sh $(FUZZTIME)

fuzz-smoke: need-go ## run each fuzz target for a few seconds
	@$(KEEP) tools/fuzz.sh 3s

CASES ?= 100000
SEED  ?= 1
fuzz-compat: need-go ## send generated requests, responses and PROXY headers through haproxy and baton and compare (CASES=100000 SEED=1)
	@$(KEEP) env COMPAT_FUZZ=$(CASES) COMPAT_SEED=$(SEED) nice $(GO) test -count=1 -timeout 2h -v -run TestFuzz ./test/compat

lint: need-go ## format, vet, staticcheck, module files and the laws of internal/lint
	@$(KEEP) tools/lint.sh

lint-more: need-go ## golangci-lint with .golangci.yml (the first run compiles it: minutes)
	@$(KEEP) $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

fmt: need-go tools ## rewrite the sources as lint wants them
	@$(KEEP) bin/tools/gofumpt -w $$($(GIT) ls-files '*.go')

tools: need-go
	@$(KEEP) env GOBIN=$(ROOT)/bin/tools GOFLAGS=-buildvcs=false $(GO) -C tools install tool

demo: build ## two nodes, three web servers and a client on this host: kill one and watch (root)
	@tools/deps.sh demo
	@bin/baton lab demo

bench: build ## baton, haproxy and nginx side by side (root; minutes)
	@tools/deps.sh bench
	@$(KEEP) $(GO) run -buildvcs=false ./bench -o bench/RESULTS.md $(BENCHFLAGS)

bench-failover: build ## what clients see of a fault: baton, and keepalived with haproxy (root; an hour and a half, single rows with BENCHFLAGS='-only kill -runs 3')
	@tools/deps.sh bench-failover
	@$(KEEP) $(GO) run -buildvcs=false ./bench/failover -o $(if $(filter -only% -columns% -systems%,$(BENCHFLAGS)),/dev/null,bench/FAILOVER.md) $(BENCHFLAGS)

bench-vrrp: build ## adverts under load, of many instances, on a busy host: baton beside keepalived (root; a quarter of an hour)
	@tools/deps.sh bench-vrrp
	@$(KEEP) $(GO) run -buildvcs=false ./bench/vrrp -o $(if $(filter -only%,$(BENCHFLAGS)),/dev/null,bench/VRRP.md) $(BENCHFLAGS)

deb: need-go ## build dist/baton_<version>_<amd64|arm64>.deb
	@$(KEEP) packaging/build.sh

deb-test: deb ## install, upgrade, remove and purge the package in a scratch Debian (root)
	@tools/deps.sh deb-test
	@packaging/test.sh

vagrant-box: ## build a local libvirt box "baton/bookworm" (root)
	@tools/deps.sh vagrant
	@vagrant/mkbox.sh

vagrant-up: deb ## lb1, lb2, web1, web2 in virtual machines
	@cd vagrant && vagrant up

clean: ## remove what was built
	rm -rf bin dist
