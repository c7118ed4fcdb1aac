/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `sluice replay`: what it takes, and what it says of what it does not. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "config/node.h"
#include "evaluate/options.h"

#define MAX_ARGS 40

/* Splits at spaces; keeps the memory for as long as the options are read. */
static int parse(const char *line, struct evaluate_options *options, struct sluice_err *err)
{
	static char text[512];
	static char *argv[MAX_ARGS + 1];
	int argc = 0;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word && argc < MAX_ARGS; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	err->text[0] = '\0';
	return evaluate_options_parse(argc, argv, options, err);
}

Test(options, all_of_them)
{
	struct evaluate_options options;
	struct sluice_err err;

	cr_assert_eq(parse("replay --config a.yaml --attack x,y --benign b --warmup w "
			   "--protect 192.0.2.0/24,2001:db8::1 --role client "
			   "--rewrite-dst 192.0.2.1,2001:db8::1 --rewrite-dport 443 "
			   "--attack-at 2s --attack-for 3s --trim",
			   &options, &err),
		     0, "%s", err.text);
	cr_assert_eq(options.attack.n, 2);
	cr_assert_str_eq(options.attack.items[1], "y");
	cr_assert_str_eq(options.benign.items[0], "b");
	cr_assert_str_eq(options.warmup.items[0], "w");
	cr_assert_eq(options.mix.n_protect, 2);
	cr_assert_eq(options.mix.protect[1].family, SLUICE_FAMILY_IPV6);
	cr_assert_eq(options.mix.role, MIX_ROLE_CLIENT);
	cr_assert_eq(options.mix.host4.addr[3], 1);
	cr_assert_eq(options.mix.host6.family, SLUICE_FAMILY_IPV6);
	cr_assert_eq(options.mix.attack_port, 443);
	cr_assert_eq(options.mix.attack_at_ns, 2000000000u);
	cr_assert_eq(options.mix.attack_for_ns, 3000000000u);
	cr_assert(options.mix.trim);
	cr_assert_eq(options.phases, EVALUATE_PHASES);
	cr_assert_eq(options.mix.phase_ns, MIX_PHASE_BY_SEED);
	evaluate_options_fini(&options);

	cr_assert_eq(parse("replay --config a.yaml --attack x --labels auto --respoof off "
			   "--attack-rate 20k --overlay --speed 0.5 --max-gap 1s --phase 300ms "
			   "--seed 9 --window 100ms --only entropy --direction in --json --bench",
			   &options, &err),
		     0, "%s", err.text);
	cr_assert_null(options.labels);
	cr_assert_eq(options.mix.respoof, MIX_RESPOOF_OFF);
	cr_assert_eq(options.mix.attack_pps, 20000);
	cr_assert(options.mix.overlay && options.mix.inbound_only && options.json && options.bench);
	cr_assert_eq(options.mix.speed_ppm, 500000);
	cr_assert_eq(options.max_gap_ns, 1000000000u);
	cr_assert_eq(options.mix.phase_ns, 300000000u);
	cr_assert_eq(options.phases, 1, "a phase that is given is one run");
	cr_assert_eq(options.mix.seed, 9);
	cr_assert_eq(options.window_ns, 100000000u);
	cr_assert_str_eq(options.only, "entropy");
	evaluate_options_fini(&options);

	cr_assert_eq(parse("replay --diff a.yaml b.yaml x.pcap", &options, &err), 0, "%s",
		     err.text);
	cr_assert_str_eq(options.config, "a.yaml");
	cr_assert_str_eq(options.other_config, "b.yaml");
	cr_assert_str_eq(options.benign.items[0], "x.pcap");
	evaluate_options_fini(&options);
}

Test(options, refusals_teach)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "replay x.pcap", "--config FILE is missing; see `sluice replay --help`" },
		{ "replay --config a", "no captures; name some by --attack and --benign, or a "
				       "folder by --suite" },
		{ "replay --config a --atack x",
		  "unknown option '--atack'; did you mean --attack?" },
		{ "replay --config a x --nonsense-at-all",
		  "unknown option '--nonsense-at-all'; see `sluice replay --help`" },
		{ "replay --config a x --role serer",
		  "--role: 'serer' is not server, client or asis; did you mean server?" },
		{ "replay --config a x --direction out", "--direction: 'out' is not in or both" },
		{ "replay --config a x --speed fast",
		  "--speed: 'fast' is no factor from 0.001 to 1000, such as 4" },
		{ "replay --config a x --speed nan",
		  "--speed: 'nan' is no factor from 0.001 to 1000, such as 4" },
		{ "replay --config a x --only", "option '--only' wants a value" },
		{ "replay --diff a", "--diff wants two files: --diff A.yaml B.yaml" },
		{ "replay --config a --suite s --attack x",
		  "--suite takes its captures from its folder; leave --attack, --benign and "
		  "--warmup out" },
		{ "replay --config a --suite s --csv x",
		  "--csv, --svg and --diff are of one mix; leave --suite out" },
		{ "replay --config a x --attack-filter udp",
		  "--attack-filter is of the captures of --attack" },
		{ "replay --config a x --labels y",
		  "--labels is of the captures of --attack; those of others lie beside them, as "
		  "CAPTURE.labels.yaml" },
	};
	struct evaluate_options options;
	struct sluice_err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(parse(cases[i].line, &options, &err), -EINVAL, "%s", cases[i].line);
		cr_assert_str_eq(err.text, cases[i].text, "%s: %s", cases[i].line, err.text);
		evaluate_options_fini(&options);
	}
}

/* Bounds: the reason names the option. */
Test(options, numbers_have_bounds)
{
	static const char *const lines[] = {
		"replay --config a x --window 1ms",
		"replay --config a x --window 2m",
		"replay --config a x --rewrite-dport 0",
		"replay --config a x --rewrite-dport 65536",
		"replay --config a x --phases 0",
		"replay --config a x --phases 101",
		"replay --config a x --attack-for 0",
		"replay --config a x --attack-at 2d",
		"replay --config a x --seed -1",
		"replay --config a x --attack-rate fast",
		"replay --config a x --protect 192.0.2.1/24",
		"replay --config a x --rewrite-dst 192.0.2.0/24",
		"replay --config a x --max-gap never",
		"replay --config a x --phase soon",
	};
	struct evaluate_options options;
	struct sluice_err err;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *name = strstr(lines[i], " x ") + 3;

		cr_assert_eq(parse(lines[i], &options, &err), -EINVAL, "%s", lines[i]);
		cr_assert_eq(strncmp(err.text, name, strcspn(name, " ")), 0, "%s: %s", lines[i],
			     err.text);
		evaluate_options_fini(&options);
	}
}

Test(options, of_a_suite)
{
	struct evaluate_options options;
	struct sluice_err err;

	cr_assert_eq(parse("replay --config a --suite f --part native,20k --part benign "
			   "--control x.yaml,y.yaml --jobs 3",
			   &options, &err),
		     0, "%s", err.text);
	cr_assert_eq(options.parts, 1u << EVALUATE_PART_NATIVE | 1u << EVALUATE_PART_RATE |
					    1u << EVALUATE_PART_BENIGN);
	cr_assert_eq(options.control.n, 2);
	cr_assert_eq(options.jobs, 3);
	evaluate_options_fini(&options);

	cr_assert_eq(parse("replay --config a --suite f", &options, &err), 0);
	cr_assert_eq(options.parts, (1u << EVALUATE_N_PARTS) - 1, "all");
	cr_assert_geq(options.jobs, 1);
	evaluate_options_fini(&options);

	cr_assert_eq(parse("replay --config a --suite f --part bening", &options, &err), -EINVAL);
	cr_assert(strstr(err.text, "did you mean benign?"), "%s", err.text);
	evaluate_options_fini(&options);
	cr_assert_eq(parse("replay --config a --benign b --part native", &options, &err), -EINVAL);
	cr_assert(strstr(err.text, "--suite"), "%s", err.text);
	evaluate_options_fini(&options);
}

Test(options, set_takes_yaml)
{
	static const char *const wrong[] = { "signature", "signature.without", ".a=1", "a=b.c",
					     "a.b=[1" };
	struct evaluate_options options;
	struct sluice_err err;
	const struct config_node *without;
	char line[64];

	cr_assert_eq(parse("replay --config a --benign b --set signature.without=[x,y] "
			   "--set threshold.source_pps=1k",
			   &options, &err),
		     0, "%s", err.text);
	cr_assert_eq(options.n_settings, 2);
	cr_assert_str_eq(options.settings[0].detector, "signature");
	without = config_node_get(options.settings[0].options, "without");
	cr_assert_eq(config_node_count(without), 2);
	cr_assert_str_eq(
		config_node_text(config_node_get(options.settings[1].options, "source_pps")), "1k");
	evaluate_options_fini(&options);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "replay --config a --benign b --set %s", wrong[i]);
		cr_assert_eq(parse(line, &options, &err), -EINVAL, "%s", wrong[i]);
		cr_assert(strstr(err.text, "--set"), "%s: %s", wrong[i], err.text);
		evaluate_options_fini(&options);
	}
}
