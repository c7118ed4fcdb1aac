# SPDX-License-Identifier: BSD-2-Clause
# For tests of plugins that are not in the tree: Sluice is installed in a prefix of its own, and
# plugins/template is copied, built against what is there, and installed.  Included after lib.sh.
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

. "$ROOT/tests/support/sdk.sh"
umask 022
PREFIX=$LAB/prefix

sluice() {
	on_server "$PREFIX/bin/sluice" "$@"
}

install_sluice() {
	mkdir "$PREFIX"
	sdk_install "$BUILD" "$PREFIX" || fail "cannot install"
}

install_template() {
	cp -r "$ROOT/plugins/template" "$LAB/mine"
	make -C "$LAB/mine" CFLAGS='-O1 -Werror' install >"$LAB/make.log" 2>&1 ||
		fail "it cannot be built and installed"
}

# start_installed FILE: start_sluiced with the one that is installed.
start_installed() {
	start sluiced "$PREFIX/sbin/sluiced" --config "$1" || fail "sluiced does not start"
	SLUICED=$STARTED
}
