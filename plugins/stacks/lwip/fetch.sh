#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches lwIP's source, Debian's own with its patches, by name and version: apt checks the archive's
# signature, and nothing of this machine's apt configuration or lists is changed.  Needs no root.
#
#   fetch.sh FOLDER VERSION     leaves the tree in FOLDER/lwip
set -eu

folder=$1
version=$2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
log=$folder/fetch.log

fail() {
	tail -n 5 "$log" >&2
	cat >&2 <<-EOT
		lwip: the source package $version could not be fetched: $1; all of apt's output is in $log.
		Next: connect this machine to a Debian mirror and configure again; or unpack the source
		package into $folder/lwip; or configure with -DSLUICE_LWIP=OFF, without this stack.
	EOT
	exit 1
}

# The mirror that this machine uses already, where it is known.
mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	known=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' 'Codename: bookworm' 2>/dev/null | head -n 1)
	printf '%s' "${known:-http://deb.debian.org/debian/}"
}

[ ! -e "$folder/lwip/src/Filelists.cmake" ] || exit 0
mkdir -p "$folder/lists/partial" "$folder/cache/archives/partial"
folder=$(cd "$folder" && pwd)
log=$folder/fetch.log
: >"$log"

# Two builds of one clone may want it at once.
exec 9>"$folder/lock"
flock -w 300 9 || fail "another build has been fetching it for five minutes"
[ ! -e "$folder/lwip/src/Filelists.cmake" ] || exit 0

command -v dpkg-source >/dev/null || fail "dpkg-dev is missing; ./run setup installs it"
echo "deb-src [signed-by=$keyring] $(mirror) bookworm main" >"$folder/sources.list"
apt() {
	(cd "$folder" && timeout 240 apt-get -q -o Dir::Etc::SourceList="$folder/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$folder/lists" \
		-o Dir::Cache="$folder/cache" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Retries=3 -o APT::Update::Error-Mode=any "$@" >>"$log" 2>&1)
}
apt update || fail "the mirror's list of sources did not come"
rm -rf "$folder"/lwip-[0-9]* "$folder"/lwip_[0-9]*
apt source "lwip=$version" || fail "the mirror did not give it"
mv "$folder"/lwip-[0-9]* "$folder/lwip"
rm -rf "$folder/lists" "$folder/cache"
