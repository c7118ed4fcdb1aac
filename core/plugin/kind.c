/* SPDX-License-Identifier: BSD-2-Clause */
/* What kinds of plugins are called; see plugin.h. */
#include "plugin.h"

const char *plugin_kind_name(enum sluice_plugin_kind kind)
{
	switch (kind) {
	case SLUICE_PLUGIN_DETECTOR:
		return "detector";
	case SLUICE_PLUGIN_BACKEND:
		return "backend";
	case SLUICE_PLUGIN_FEATURES:
		return "features";
	case SLUICE_PLUGIN_STACK:
		return "stack";
	}
	return "unknown kind";
}
