# SPDX-License-Identifier: BSD-2-Clause
# Debian packages unpacked but not installed, by apt's own trust and mirrors; for the scripts that
# fetch kernels and their headers.
# shellcheck shell=sh disable=SC2034 # variables are for the scripts that include this

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

apt() {
	LC_ALL=C apt-get -q -o APT::Sandbox::User=root "$@"
}

# depends PACKAGE PATTERN: what it depends on, of the names that match.
depends() {
	LC_ALL=C apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *|\{0,1\}Depends: \($2\)\$/\1/p"
}

# package_file CACHE PACKAGE: the name of its file, which tells one security update from the next.
# apt says nothing of a file that is in the current folder already.
package_file() {
	(cd "$1" && apt download --print-uris "$2" 2>/dev/null) | sed -n "s/^'[^']*' \([^ ]*\.deb\) .*/\1/p"
}

# unpack CACHE PACKAGE...: all of them into a new folder, $unpacked, which goes when the script ends.
unpack() {
	work=$(mktemp -d "$1/.new.XXXXXX")
	shift
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	unpacked=$work/unpacked
	(
		cd "$work" || exit 1
		if ! apt download "$@" >download.log 2>&1; then
			# Lists that are older than the last security update name a file that is gone.
			apt update >/dev/null || true
			apt download "$@" >download.log 2>&1 || {
				cat download.log >&2
				die "apt-get could not download $*"
			}
		fi
		for file in ./*.deb; do
			dpkg -x "$file" unpacked
			rm "$file"
		done
	)
}
