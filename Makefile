# SPDX-License-Identifier: GPL-2.0
# What a user or developer calls; `make help` lists it. The module's own build
# is in Kbuild, the lab (kernels, guests, tests) in ktests/.

# The kernel the plain `make` builds for. Its tree needs CONFIG_RUST=y and its
# Rust metadata, which Debian's packages lack: `make stock` is for them.
KDIR ?= /lib/modules/$(shell uname -r)/build

# Where `make lab` opens a shell: stock (qemu), uml or uml-debug.
LAB ?= uml

module: ## build ccp_rs.ko for the kernel in KDIR
	@[ -e $(KDIR)/rust/libkernel.rmeta ] || { \
		echo "$(KDIR) has no Rust metadata (rust/libkernel.rmeta)."; \
		echo "'make demo' builds the module for Debian's newest kernel and runs it;"; \
		echo "'make KDIR=...' builds it for a kernel tree with CONFIG_RUST=y."; \
		exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

stock: prepare ## ccp_rs.ko and ccpctl for Debian's newest 7.x kernel, in build/stock
	@ktests/lab/install.sh build/stock

tools: prepare ## ccpctl, in build/bin; needs no kernel
	@ktests/lab/userspace.sh
	@build/bin/ccpctl -V >/dev/null 2>&1 || \
		echo "It is built for Debian 13; here: ktests/lab/run.sh build/bin/ccpctl"

demo: ## a flow on the stock kernel under a userspace algorithm (ALG=bbr: under that one; PYTHON=1: in Python)
	@ktests/demo.sh

python: prepare ## a wheel of the Python package pyccp, in build/wheels
	@ktests/lab/wheel.sh

demo-dccp: prepare ## a MulTFRC flow (DCCP's CCID 5) beside flows of TCP Reno
	@ktests/demo-dccp.sh

demo-mptcp: prepare ## an MPTCP connection over two paths, of which one is cut and comes back
	@ktests/demo-mptcp.sh

test: prepare ## all tests; ends with "N passed, N failed"
	@ktests/test.sh

bench: prepare ## measurements
	@ktests/bench.sh

fuzz: prepare ## a million generated programs on libccp and on our machine
	@ktests/fuzz.sh

lint: prepare ## formats, lints, generated files
	@ktests/lint.sh

lab: prepare ## a shell in a lab kernel with the module loaded (LAB=uml, uml-debug, stock)
	@ktests/lab/shell.sh $(LAB)

# What all of the above stand on: a few host packages, the Debian sysroot.
prepare:
	@ktests/lab/host.sh
	@ktests/lab/sysroot.sh

clean: ## remove what was built here; the cache stays
	rm -rf build Module.symvers modules.order *.ko *.o *.mod *.mod.c .*.cmd
	find rust c-shim \( -name '*.o' -o -name '.*.cmd' -o -name '*.o.d' \) -delete

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 11

.PHONY: module stock tools demo python demo-dccp demo-mptcp test bench fuzz lint lab prepare clean help
.DEFAULT_GOAL := module
