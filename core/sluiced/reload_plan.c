/* SPDX-License-Identifier: BSD-2-Clause */
/* See reload_plan.h. */
#include "reload_plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "config/settings.h"
#include "config/value_diff.h"
#include "dataplane/dataplane.h"

#include "generation.h"
#include "reload.h"

/* So that the answer stays far below what one may be; the rest is counted. */
#define CHANGES_MAX 2000

struct plan {
	struct value_diff diff;
	json_t *detectors;
	const char *fixed[RELOAD_FIXED_MAX]; /* Keys whose change needs a restart. */
	size_t n_fixed;
	int result;
};

/* "policy.ttl" is below "policy", and "interfaces[eth0].mode" below "interfaces". */
static bool is_below(const char *path, const char *key)
{
	size_t len = strlen(key);

	return strncmp(path, key, len) == 0 && (!path[len] || strchr(".[", path[len]));
}

static bool needs_restart(const struct plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->n_fixed; i++)
		if (is_below(path, plan->fixed[i]))
			return true;
	return false;
}

static json_t *change_json(const struct plan *plan, const struct value_difference *change)
{
	return json_pack("{s:s, s:s, s:s?, s:b, s:s?, s:b, s:b}", "path", change->path, "change",
			 value_change_name(change->change), "before", change->before,
			 "before_default", change->before_is_default, "after", change->after,
			 "after_default", change->after_is_default, "needs_restart",
			 needs_restart(plan, change->path));
}

static json_t *changes_json(const struct plan *plan)
{
	json_t *list = json_array();
	size_t n = 0;

	for (const struct value_difference *change = plan->diff.first; change && n < CHANGES_MAX;
	     change = change->next, n++)
		json_array_append_new(list, change_json(plan, change));
	return list;
}

static json_t *strings_json(const char *const *texts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(texts[i]));
	return list;
}

static void take_detector(void *ctx, const struct generation_fate *fate)
{
	struct plan *plan = ctx;
	char path[96];

	json_array_append_new(plan->detectors, json_pack("{s:s, s:s}", "name", fate->name, "fate",
							 generation_fate_name(fate->what)));
	if (!fate->before || !fate->after || plan->result)
		return;
	snprintf(path, sizeof(path), "detectors[%s].options", fate->name);
	plan->result = config_diff(fate->before, fate->after, path, &plan->diff);
}

static int compare(struct plan *plan, const struct generation *running, struct generation *next)
{
	const struct sluice_config *a = generation_backend_config(running);
	const struct sluice_config *b = generation_backend_config(next);

	plan->n_fixed = reload_fixed_changes(running, next, plan->fixed);
	plan->result =
		settings_diff(generation_settings(running), generation_settings(next), &plan->diff);
	generation_foresee(next, running, take_detector, plan);
	if (!plan->result && a && b)
		plan->result = config_diff(a, b, "offload.options", &plan->diff);
	return plan->result;
}

/* Features that the detectors begin, or cease, to need. */
static json_t *features_json(uint32_t features)
{
	json_t *list = json_array();

	for (uint32_t bit = 1; bit && bit <= features; bit <<= 1)
		if (features & bit)
			json_array_append_new(list, json_string(dataplane_feature_name(bit)));
	return list;
}

static json_t *measured_json(const struct generation *running, const struct generation *next)
{
	uint32_t before = generation_features(running).loaded;
	uint32_t after = next ? generation_features(next).loaded : before;

	return json_pack("{s:o, s:o}", "begins", features_json(after & ~before), "ends",
			 features_json(before & ~after));
}

static json_t *errors_json(const struct config_errors *errors)
{
	json_t *list = json_array();
	char text[CONFIG_ERROR_TEXT_SIZE];

	for (size_t i = 0; i < config_errors_kept(errors); i++)
		json_array_append_new(list,
				      json_string(config_error_format(&errors->list[i], text)));
	return list;
}

json_t *reload_plan_json(const char *file, const struct generation *running,
			 struct generation *next, uint64_t allowed_by_hand,
			 const struct config_errors *errors)
{
	struct plan plan = { .detectors = json_array() };
	size_t left_out;
	json_t *json;

	value_diff_init(&plan.diff);
	if (next && compare(&plan, running, next)) {
		json_decref(plan.detectors);
		value_diff_fini(&plan.diff);
		return NULL;
	}
	left_out = plan.diff.n > CHANGES_MAX ? plan.diff.n - CHANGES_MAX : 0;
	json = json_pack("{s:i, s:s, s:b, s:o, s:o, s:I, s:o, s:o, s:{s:I}, s:o}", "schema", 1,
			 "file", file, "ok", next && !plan.n_fixed && !errors->count, "restart",
			 strings_json(plan.fixed, plan.n_fixed), "changes", changes_json(&plan),
			 "left_out", (json_int_t)left_out, "detectors", plan.detectors, "measured",
			 measured_json(running, next), "forgets", "allowed_by_hand",
			 (json_int_t)allowed_by_hand, "errors", errors_json(errors));
	value_diff_fini(&plan.diff);
	return json;
}
