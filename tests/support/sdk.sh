# SPDX-License-Identifier: BSD-2-Clause
# For tests that build a plugin as somebody does who has only what `cmake --install` puts there.
# shellcheck shell=sh

# sdk_install BUILD PREFIX: installs, makes pkg-config find sluice-plugin, and leaves the folder of
# the plugins in $PLUGINS.
sdk_install() {
	cmake --install "$1" --prefix "$2" >"$2.log" || { cat "$2.log" >&2; return 1; }
	PKG_CONFIG_PATH=$(dirname "$(find "$2" -name sluice-plugin.pc)")
	export PKG_CONFIG_PATH
	PLUGINS=$(pkg-config --variable=plugindir sluice-plugin)
	case $(realpath "$PLUGINS") in
	"$(realpath "$2")"/*) ;;
	*) echo "plugindir is $PLUGINS" >&2; return 1 ;;
	esac
}
