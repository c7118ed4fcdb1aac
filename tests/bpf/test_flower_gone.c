// SPDX-License-Identifier: BSD-2-Clause
/*
 * The back end `flower` with an empty table, on an interface that is deleted and made anew: no rule
 * can be missed, so that it must notice by itself.  And what it leaves on an interface.
 */
#include <criterion/criterion.h>

#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <sluice/backend.h>

#include "plane.h"
#include "support/flower_host.h"
#include "wire.h"

static void isolate(void)
{
	plane_isolate();
	wire_add("sl0", "sl1");
}

static const struct sluice_backend_ops *load(void **object)
{
	const struct sluice_plugin *plugin;

	*object = dlopen(FLOWER_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	cr_assert_not_null(*object, "%s", FLOWER_PLUGIN);
	plugin = dlsym(*object, "sluice_plugin");
	cr_assert_not_null(plugin);
	return plugin->ops;
}

static void *open_card(const struct sluice_backend_ops *ops)
{
	const struct sluice_config config = { .mode = "skip_hw" };
	struct sluice_backend_caps caps = { .capacity = 0 };
	struct sluice_err err = { .text = "" };
	void *self = NULL;

	cr_assert_eq(ops->open(NULL, &flower_host, &config, "sl0", &caps, &self, &err), 0, "%s",
		     err.text);
	return self;
}

Test(flower, an_empty_table_shows_that_its_interface_is_gone, .init = isolate, .timeout = 60)
{
	void *object;
	const struct sluice_backend_ops *ops = load(&object);
	void *self = open_card(ops);
	struct sluice_backend_counter counter;
	struct sluice_err err = { .text = "" };
	struct sluice_backend_rule rule;
	size_t n = 1;

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

/* 0: there was no hook, and now there is one that the back end has not made. */
static int make_hook(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("sl0"),
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	return bpf_tc_hook_create(&hook);
}

static void remove_hook(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("sl0"),
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	cr_assert_eq(bpf_tc_hook_destroy(&hook), 0);
}

/* A filter of somebody else's that lets all pass, or whether it is still there. */
static int filter(int (*what)(const struct bpf_tc_hook *, struct bpf_tc_opts *),
		  enum bpf_tc_attach_point direction, int fd)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("sl0"),
		    .attach_point = direction);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1, .prog_fd = fd);

	return what(&hook, &opts);
}

Test(flower, leaves_an_interface_as_it_was, .init = isolate, .timeout = 60)
{
	static const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 0 }, /* TC_ACT_OK */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const enum bpf_tc_attach_point directions[] = { BPF_TC_INGRESS, BPF_TC_EGRESS };
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "other", "GPL", pass, 2, NULL);
	void *object, *self;
	const struct sluice_backend_ops *ops = load(&object);

	cr_assert_geq(fd, 0);
	ops->close(open_card(ops));
	cr_expect_eq(make_hook(), 0, "its own hook is left");
	ops->close(open_card(ops));
	cr_expect_eq(make_hook(), -EEXIST, "a hook that was there is gone");
	for (size_t i = 0; i < 2; i++) {
		remove_hook();
		self = open_card(ops);
		cr_assert_eq(filter(bpf_tc_attach, directions[i], fd), 0);
		ops->close(self);
		cr_expect_eq(filter(bpf_tc_query, directions[i], 0), 0, "a filter is gone: %zu", i);
	}
	close(fd);
	dlclose(object);
}
