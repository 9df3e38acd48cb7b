# SPDX-License-Identifier: GPL-2.0-or-later
#
#   make                 build/bfdd and build/bfdctl
#   make check           all tests (as scripts/check)     make demo   the main job, shown
#   make tests           builds the test programs         make bench  side by side with BIRD and FRR
#   make check-interop   against BIRD and FRR, as a table
#   make bench-stress    the same under every kind of load (2 hours; tests/bench/stress.sh -t for less)
#   make bench-failover  each way a path can die, beside the daemons' own BFD, with a plot (1.5 hours; tests/bench/failover.sh -b for less)
#   make install         below $(DESTDIR)$(PREFIX)        make clean
#   make SAN=1 ...       the same with ASan and UBSan, in build-san/
#   make WERROR=1 ...    warnings are errors

PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config
CLANG ?= clang
PACKAGES := libnl-3.0 libnl-route-3.0 libconfig jansson libcap-ng libsystemd libbpf nettle

BUILD := build
OPT ?= -O2 -g
ifdef SAN
BUILD := build-san
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
OPT := -O1 -g $(SANITIZE) -fno-omit-frame-pointer
endif
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wcast-qual -Wundef \
	-Wno-unused-parameter $(if $(WERROR),-Werror)
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CPPFLAGS := -D_GNU_SOURCE -I. -Ibfdd $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
CFLAGS := -std=gnu11 $(OPT) $(WARN) $(if $(SAN),-fPIE,$(HARDEN)) -MMD -MP $(EXTRA_CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu11 -O2 -g -fno-strict-aliasing -Wall -Wextra -Wshadow $(if $(WERROR),-Werror) -MMD -MP \
	-Ibfdd -I/usr/include/$(shell $(CC) -print-multiarch) -fdebug-prefix-map=$(CURDIR)=.
LDFLAGS := -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lev -lm -lpthread

MAINS := bfdd/main.c bfdd/bfdctl.c
CTL := bfdd/bfdctl.c $(wildcard bfdd/ctl/*.c)
SOURCES := $(filter-out $(MAINS) %.bpf.c,$(wildcard bfdd/*.c bfdd/core/*.c bfdd/io/*.c bfdd/site/*.c bfdd/routing/*.c bfdd/probe/*.c \
	bfdd/ops/*.c netlink/*.c config/*.c))
# What must stay pure: checked by scripts/check-layers.
PURE := $(wildcard bfdd/core/*.c bfdd/site/*.c) netlink/plan.c netlink/objects.c netlink/prefix_map.c netlink/follow_set.c netlink/mark_message.c config/diff.c config/merge.c \
	bfdd/routing/frr_message.c bfdd/routing/frr_version.c bfdd/routing/bird_message.c bfdd/routing/bgp.c
TESTS := $(wildcard tests/unit/test_*.c tests/sim/test_*.c)
TEST_TOOLS := $(wildcard tests/net/tools/*.c)
FUZZERS := $(wildcard tests/fuzz/fuzz_*.c)
TEST_COMMON := $(wildcard tests/sim/sim*.c)
BENCHES := $(wildcard tests/bench/bench_*.c)
STRESS := $(BUILD)/tests/bench/stress

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
programs = $(patsubst %.c,$(BUILD)/%,$(1))

all: $(BUILD)/bfdd $(BUILD)/bfdctl

$(BUILD)/libbfdd.a: $(call objects,$(SOURCES))
	rm -f $@; $(AR) rcs $@ $^
$(BUILD)/bfdd: $(call objects,bfdd/main.c) $(BUILD)/libbfdd.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/bfdctl: $(call objects,$(CTL))
	$(CC) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs jansson)
$(BUILD)/libtests.a: $(call objects,$(TEST_COMMON))
	rm -f $@; $(AR) rcs $@ $^
$(call programs,$(TESTS)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libtests.a $(BUILD)/libbfdd.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka
$(call programs,$(TEST_TOOLS) $(BENCHES)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/libbfdd.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/tests/bench/bench_peer: $(call objects,$(wildcard tests/bench/peer_*.c))
$(call programs,$(FUZZERS)): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/obj/tests/fuzz/driver.o $(BUILD)/libbfdd.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
$(STRESS): $(call objects,$(wildcard tests/bench/stress_*.c))
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ -lpthread
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
# Programs for the kernel, which gate.o and detour.o carry inside.
$(BUILD)/obj/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<
$(BUILD)/obj/bfdd/io/gate.o: $(BUILD)/obj/bfdd/io/gate.bpf.o
$(BUILD)/obj/bfdd/io/detour.o: $(BUILD)/obj/bfdd/io/detour.bpf.o
$(BUILD)/obj/bfdd/io/gate.o $(BUILD)/obj/bfdd/io/detour.o: CFLAGS += -Wa,-I$(BUILD)/obj

tests: $(call programs,$(TESTS) $(TEST_TOOLS) $(FUZZERS) $(BENCHES))
pure-objects: $(call objects,$(PURE))
	@echo $^
check: ; scripts/check
check-interop: ; scripts/check-interop
demo: ; scripts/demo
bench: all $(call programs,$(BENCHES)) $(BUILD)/tests/net/tools/witness $(BUILD)/tests/net/tools/voice ; tests/bench/run
bench-stress: all $(STRESS) ; tests/bench/stress.sh
bench-failover: all $(addprefix $(BUILD)/tests/bench/bench_,tap routes) $(BUILD)/tests/net/tools/witness $(BUILD)/tests/net/tools/voice
	@mkdir -p $(BUILD)/bench
	tests/bench/failover.sh -o $(BUILD)/bench/failover.json -g $(BUILD)/bench/failover.svg

install: all
	install -D -t $(DESTDIR)$(PREFIX)/sbin $(BUILD)/bfdd
	install -D -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/bfdctl
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/bfdd.8 docs/bfdctl.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man5 docs/bfdd.conf.5
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man7 docs/bfdd-bird.7 docs/bfdd-frr.7
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/bfdd config/bfdd.conf.example
	install -D -m 644 -t $(DESTDIR)/lib/systemd/system scripts/bfdd.service

clean: ; rm -rf build build-san

.PHONY: all tests pure-objects check check-interop demo bench bench-stress bench-failover install clean
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
