/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifests, and options read the way a plugin reads them.
 */
#include <errno.h>

#include "support.h"

static const char sample[] =
	"kind: backend\n"
	"abi: 1.2\n"
	"name: sample\n"
	"version: 0.3.1\n"
	"license: BSD-2-Clause\n"
	"description: A manifest for tests.\n"
	"needs: { features: [source], kernel: 6.1, capabilities: [CAP_BPF, CAP_NET_ADMIN] }\n"
	"options:\n"
	"  limit: { type: int, default: 20k, minimum: 1, maximum: 1M, help: x }\n"
	"  share: { type: number, default: 1, help: x }\n"
	"  learn: { type: bool, default: true, help: x }\n"
	"  label: { type: string, default: none, help: x }\n"
	"  mode: { type: enum, values: [fast, exact], default: fast, help: x }\n"
	"  hold: { type: duration, default: 10s, help: x }\n"
	"  room: { type: bytes, default: 64KiB, help: x }\n"
	"  net: { type: prefix, default: 192.0.2.0/24, help: x }\n"
	"  card: { type: path, help: x }\n";

Test(manifest, says_what_it_is)
{
	struct manifest *m = manifest_of(sample);

	cr_assert_eq(manifest_kind(m), SLUICE_PLUGIN_BACKEND);
	cr_assert_eq(manifest_abi_major(m), 1);
	cr_assert_eq(manifest_abi_minor(m), 2);
	cr_assert_str_eq(manifest_name(m), "sample");
	cr_assert_str_eq(manifest_version(m), "0.3.1");
	cr_assert_str_eq(manifest_license(m), "BSD-2-Clause");
	cr_assert_str_eq(manifest_description(m), "A manifest for tests.");
	cr_assert_str_eq(manifest_file(m), "f");
	cr_assert_str_eq(manifest_kernel(m), "6.1");
	cr_assert_eq(manifest_n_features(m), 1);
	cr_assert_str_eq(manifest_feature(m, 0), "source");
	cr_assert_null(manifest_feature(m, 1));
	cr_assert_eq(manifest_n_capabilities(m), 2);
	cr_assert_str_eq(manifest_capability(m, 1), "CAP_NET_ADMIN");
	manifest_free(m);
}

Test(manifest, may_need_nothing)
{
	struct manifest *m = manifest_of("kind: detector\nabi: '1.0'\nname: a\nversion: 1.0\n"
					 "license: MIT\ndescription: x\n");
	struct sluice_config *config;
	uint64_t value;

	cr_assert_eq(manifest_kind(m), SLUICE_PLUGIN_DETECTOR);
	cr_assert_null(manifest_kernel(m));
	cr_assert_eq(manifest_n_features(m), 0);
	cr_assert_eq(manifest_n_capabilities(m), 0);
	cr_assert_eq(config_new(m, NULL, "options", NULL, &config), 0);
	cr_assert_eq(config_option_u64(config, "x", &value), -ENOENT);
	config_free(config);
	manifest_free(m);
	manifest_free(NULL);
	config_free(NULL);
}

/* The instance that `options` makes; NULL for none given. */
static struct sluice_config *config_of(const struct manifest *m, const struct config_node *options)
{
	struct config_errors errors;
	struct sluice_config *config;

	config_errors_init(&errors);
	cr_assert_eq(config_new(m, options, "options", &errors, &config), 0, "%s",
		     first_error(&errors));
	return config;
}

Test(manifest, defaults_are_read_by_type)
{
	struct manifest *m = manifest_of(sample);
	struct sluice_config *config = config_of(m, NULL);
	const char *text;
	uint64_t number;
	double real;
	bool flag = false;

	cr_assert(!config_option_u64(config, "limit", &number) && number == 20000);
	cr_assert(!config_option_double(config, "share", &real) && real > 0.99 && real < 1.01);
	cr_assert(!config_option_bool(config, "learn", &flag) && flag);
	cr_assert(!config_option_string(config, "label", &text) && !strcmp(text, "none"));
	cr_assert(!config_option_string(config, "mode", &text) && !strcmp(text, "fast"));
	cr_assert(!config_option_u64(config, "hold", &number) && number == 10000000000ull);
	cr_assert(!config_option_u64(config, "room", &number) && number == 65536);
	cr_assert(!config_option_string(config, "net", &text) && !strcmp(text, "192.0.2.0/24"));
	config_free(config);
	manifest_free(m);
}

Test(manifest, readers_refuse)
{
	struct manifest *m = manifest_of(sample);
	struct sluice_config *config = config_of(m, NULL);
	const char *text = "kept";
	uint64_t number = 5;
	double real;
	bool flag;

	cr_assert_eq(config_option_u64(config, "nothing", &number), -ENOENT);
	cr_assert_eq(config_option_u64(config, "share", &number), -EINVAL);
	cr_assert_eq(config_option_u64(config, "label", &number), -EINVAL);
	cr_assert_eq(number, 5);
	cr_assert_eq(config_option_double(config, "limit", &real), -EINVAL);
	cr_assert_eq(config_option_bool(config, "limit", &flag), -EINVAL);
	cr_assert_eq(config_option_string(config, "limit", &text), -EINVAL);
	cr_assert_eq(config_option_string(config, "card", &text), -ENODATA);
	cr_assert_eq(config_option_string(config, "", &text), -ENOENT);
	cr_assert_str_eq(text, "kept");
	config_free(config);
	manifest_free(m);
}

static const char lists[] =
	"kind: detector\nabi: \"1.3\"\nname: sample\nversion: 0.1.0\nlicense: x\ndescription: x\n"
	"options:\n"
	"  ports: { type: list, items: { type: int }, default: [80, 1k], help: x }\n"
	"  shares: { type: list, items: { type: number }, default: [0.5], help: x }\n"
	"  names: { type: list, items: { type: string }, needs: [flow], default: [], help: x }\n"
	"  nets: { type: list, items: { type: prefix }, default: [192.0.2.0/24], help: x }\n"
	"  spare: { type: list, items: { type: int, maximum: 9 }, max_items: 2, help: x }\n"
	"  peer: { type: address, default: \"2001:db8::1\", help: x }\n";

Test(manifest, lists_are_read_item_by_item)
{
	struct manifest *m = manifest_of(lists);
	struct config_node *node = node_of("{ names: [a, b], spare: [9] }");
	struct sluice_config *config = config_of(m, node);
	struct sluice_key key;
	const char *text;
	uint64_t number;
	double real;
	size_t n;

	cr_assert(!config_list_count(config, "ports", &n) && n == 2);
	cr_assert(!config_list_u64(config, "ports", 1, &number) && number == 1000);
	cr_assert(!config_list_double(config, "shares", 0, &real) && real > 0.49 && real < 0.51);
	cr_assert(!config_list_count(config, "names", &n) && n == 2);
	cr_assert(!config_list_string(config, "names", 1, &text) && !strcmp(text, "b"));
	cr_assert(!config_list_string(config, "nets", 0, &text) && !strcmp(text, "192.0.2.0/24"));
	cr_assert(!config_list_key(config, "nets", 0, &key) && key.prefix_len == 24);
	cr_assert(!config_list_u64(config, "spare", 0, &number) && number == 9);
	cr_assert(!config_option_key(config, "peer", &key) && key.family == SLUICE_FAMILY_IPV6);
	cr_expect_str_eq(config_feature(config, 0), "flow", "a list with items is in use");
	config_free(config);
	config_node_free(node);
	manifest_free(m);
}

Test(manifest, list_readers_refuse)
{
	struct manifest *m = manifest_of(lists);
	struct sluice_config *config = config_of(m, NULL);
	struct sluice_key key;
	const char *text;
	uint64_t number;
	double real;
	size_t n;

	cr_assert_eq(config_list_u64(config, "ports", 2, &number), -ERANGE);
	cr_assert_eq(config_list_string(config, "names", 0, &text), -ERANGE);
	cr_assert_eq(config_list_u64(config, "spare", 0, &number), -ENODATA);
	cr_assert_eq(config_list_count(config, "nothing", &n), -ENOENT);
	cr_assert_eq(config_list_count(config, "peer", &n), -EINVAL);
	cr_assert_eq(config_list_double(config, "ports", 0, &real), -EINVAL);
	cr_assert_eq(config_list_string(config, "ports", 0, &text), -EINVAL);
	cr_assert_eq(config_list_key(config, "shares", 0, &key), -EINVAL);
	cr_assert_eq(config_list_u64(config, "nets", 0, &number), -EINVAL);
	cr_assert_eq(config_option_u64(config, "ports", &number), -EINVAL);
	cr_assert_eq(config_option_key(config, "ports", &key), -EINVAL);
	cr_assert_null(config_feature(config, 0), "an empty list is not in use");
	config_free(config);
	manifest_free(m);
}

Test(manifest, lists_are_checked_item_by_item)
{
	static const struct {
		const char *options, *error;
	} cases[] = {
		{ "{ spare: 1 }", "1:10: options.spare: expected a list, got 1" },
		{ "{ spare: [1, 2, 3] }", "1:10: options.spare: 3 given; at most 2 allowed" },
		{ "{ spare: [1, 10] }",
		  "1:14: options.spare[1]: 10 is out of range; allowed: at most 9" },
		{ "{ nets: [192.0.2.1/24] }",
		  "1:10: options.nets[0]: '192.0.2.1/24' has bits set beyond its length; write 192.0.2.0/24" },
	};
	struct manifest *m = manifest_of(lists);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_node *node = node_of(cases[i].options);
		struct config_errors errors;
		struct sluice_config *config = NULL;

		config_errors_init(&errors);
		cr_expect_eq(config_new(m, node, "options", &errors, &config), -EINVAL);
		cr_expect_str_eq(first_error(&errors), cases[i].error);
		config_node_free(node);
	}
	manifest_free(m);
}

Test(manifest, given_options_win)
{
	struct manifest *m = manifest_of(sample);
	struct config_node *node = node_of("{ limit: 5, mode: exact, card: /x, learn: false }");
	struct sluice_config *config = config_of(m, node);
	const char *text;
	uint64_t number;
	bool flag = true;

	cr_assert(!config_option_u64(config, "limit", &number) && number == 5);
	cr_assert(!config_option_string(config, "mode", &text) && !strcmp(text, "exact"));
	cr_assert(!config_option_string(config, "card", &text) && !strcmp(text, "/x"));
	cr_assert(!config_option_bool(config, "learn", &flag) && !flag);
	config_free(config);
	config_node_free(node);
	manifest_free(m);
}

static const struct {
	const char *options, *error;
} bad[] = {
	{ "{ limt: 5 }",
	  "1:3: detectors[0].options.limt: unknown key; did you mean 'limit'? Allowed here: limit, "
	  "share, learn, label, mode, hold, room, net, card" },
	{ "{ limit: 2M }",
	  "1:10: detectors[0].options.limit: 2M is out of range; allowed: 1 to 1M" },
	{ "{ limit: x }", "1:10: detectors[0].options.limit: expected a number such as 500, 20k or "
			  "1M (1 to 1M), got the string 'x'" },
	{ "{ mode: exat }", "1:9: detectors[0].options.mode: 'exat' is not allowed; did you mean "
			    "'exact'? Allowed: fast, exact" },
	{ "{ hold: 5 }", "1:9: detectors[0].options.hold: '5' has no unit; write 5s or 5ms; "
			 "expected a duration such as 250ms, 10s or 1h" },
	{ "{ net: 192.0.2.1/24 }", "1:8: detectors[0].options.net: '192.0.2.1/24' has bits set "
				   "beyond its length; write 192.0.2.0/24" },
	{ "{ card: x }",
	  "1:9: detectors[0].options.card: 'x' is not an absolute path; begin with '/'" },
	{ "[x]", "1:1: detectors[0].options: expected a mapping, got a list" },
};

Test(manifest, options_are_checked)
{
	struct manifest *m = manifest_of(sample);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_node *node = node_of(bad[i].options);
		struct sluice_config *config = NULL;
		struct config_errors errors;

		config_errors_init(&errors);
		cr_assert_eq(config_new(m, node, "detectors[0].options", &errors, &config),
			     -EINVAL);
		cr_assert_null(config);
		cr_assert_str_eq(first_error(&errors), bad[i].error);
		config_node_free(node);
	}
	manifest_free(m);
}

Test(manifest, a_required_option_must_be_given)
{
	struct manifest *m =
		manifest_of("kind: backend\nabi: '1.0'\nname: a\nversion: 1.0\n"
			    "license: MIT\ndescription: x\n"
			    "options: { card: { type: path, required: true, help: x } }\n");
	struct sluice_config *config;
	struct config_errors errors;

	config_errors_init(&errors);
	cr_assert_eq(config_new(m, NULL, "offload.options", &errors, &config), -EINVAL);
	cr_assert_str_eq(
		first_error(&errors),
		"(not given): offload.options.card: missing; required is an absolute path");
	manifest_free(m);
}

Test(manifest, a_reload_sees_what_changed)
{
	struct manifest *m = manifest_of(sample);
	struct config_node *same = node_of("{ limit: 20000, hold: 10000ms }");
	struct config_node *other = node_of("{ limit: 20001 }"), *more = node_of("{ card: /x }");
	struct sluice_config *a = config_of(m, NULL), *b = config_of(m, same);
	struct sluice_config *c = config_of(m, other), *d = config_of(m, more);

	cr_assert(config_equal(a, a));
	cr_assert(config_equal(a, b));
	cr_assert_not(config_equal(a, c));
	cr_assert_not(config_equal(a, d));
	cr_assert_not(config_equal(d, a));
	config_free(a);
	config_free(b);
	config_free(c);
	config_free(d);
	config_node_free(same);
	config_node_free(other);
	config_node_free(more);
	manifest_free(m);
}
