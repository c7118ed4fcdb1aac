// SPDX-License-Identifier: BSD-2-Clause
/*
 * The back end `flower` with an empty table, on an interface that is deleted and made anew: no rule
 * can be missed, so that it must notice by itself.
 */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include <sluice/backend.h>

#include "plane.h"
#include "support/flower_host.h"
#include "wire.h"

static void isolate(void)
{
	plane_isolate();
	wire_add("sl0", "sl1");
}

Test(flower, an_empty_table_shows_that_its_interface_is_gone, .init = isolate, .timeout = 60)
{
	void *object = dlopen(FLOWER_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	const struct sluice_plugin *plugin = object ? dlsym(object, "sluice_plugin") : NULL;
	const struct sluice_backend_ops *ops = plugin ? plugin->ops : NULL;
	const struct sluice_config config = { .mode = "skip_hw" };
	struct sluice_backend_caps caps = { .capacity = 0 };
	struct sluice_backend_counter counter;
	struct sluice_err err = { .text = "" };
	struct sluice_backend_rule rule;
	void *self = NULL;
	size_t n = 1;

	cr_assert_not_null(ops, "%s", FLOWER_PLUGIN);
	cr_assert_eq(ops->open(NULL, &flower_host, &config, "sl0", &caps, &self, &err), 0, "%s",
		     err.text);
	cr_expect_eq(ops->read(self, &counter, 1, &n, &err), 0, "%s", err.text);
	cr_expect_eq(n, 0);

	wire_del("sl0");
	n = 1;
	cr_expect_eq(ops->read(self, &counter, 1, &n, &err), -ENODEV);
	cr_expect_eq(n, 0);
	cr_expect_not_null(strstr(err.text, "'sl0'"), "%s", err.text);
	cr_expect_eq(ops->list(self, &rule, 1, &n, &err), -ENODEV);

	/* Another interface of that name is not the one that it read, until it has listed it. */
	wire_add("sl0", "sl1");
	cr_expect_eq(ops->read(self, &counter, 1, &n, &err), -ENODEV);
	cr_expect_eq(ops->list(self, &rule, 1, &n, &err), 0, "%s", err.text);
	cr_expect_eq(ops->read(self, &counter, 1, &n, &err), 0, "%s", err.text);
	ops->close(self);
	dlclose(object);
}
