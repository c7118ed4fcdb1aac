/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the feature extractors. */
#include <string.h>

#include "dataplane.h"

static const struct {
	const char *name;
	uint32_t feature;
} features[] = {
#define X(upper, lower, bit) { #lower, DATAPLANE_FEATURE_##upper },
	DATAPLANE_FEATURES(X)
#undef X
};

uint32_t dataplane_feature_find(const char *name)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (strcmp(features[i].name, name) == 0)
			return features[i].feature;
	return 0;
}

const char *dataplane_feature_name(uint32_t feature)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].feature == feature)
			return features[i].name;
	return NULL;
}
