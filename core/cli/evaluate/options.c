/* SPDX-License-Identifier: BSD-2-Clause */
/* See options.h. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/quantity.h"
#include "config/errors.h"
#include "config/node.h"

#define SECOND_NS 1000000000ull
#define PHASES_MAX 100
#define ALL_PARTS ((1u << EVALUATE_N_PARTS) - 1)
#define JOBS_MAX 64

enum option_id {
	ID_CONFIG = 256,
	ID_ATTACK,
	ID_BENIGN,
	ID_WARMUP,
	ID_PROTECT,
	ID_ROLE,
	ID_REWRITE_DST,
	ID_REWRITE_DPORT,
	ID_LABELS,
	ID_ATTACK_FILTER,
	ID_ATTACK_AT,
	ID_ATTACK_FOR,
	ID_TRIM,
	ID_RESPOOF,
	ID_ATTACK_RATE,
	ID_OVERLAY,
	ID_SPEED,
	ID_MAX_GAP,
	ID_PHASE,
	ID_PHASES,
	ID_SEED,
	ID_WINDOW,
	ID_ONLY,
	ID_DIRECTION,
	ID_CSV,
	ID_SVG,
	ID_BAR,
	ID_SUITE,
	ID_PART,
	ID_CONTROL,
	ID_JOBS,
	ID_SET,
	ID_STEALTH,
	ID_DIFF,
	ID_BENCH,
	ID_JSON,
	ID_HELP,
};

static const struct {
	const char *name, *value, *help;
	enum option_id id;
} table[] = {
	{ "config", "FILE", "the deployment file on trial", ID_CONFIG },
	{ "attack", "FILES", "captures of an attack, separated by commas", ID_ATTACK },
	{ "benign", "FILES", "captures of ordinary traffic", ID_BENIGN },
	{ "warmup", "FILES", "ordinary traffic before the attack (those of --benign)", ID_WARMUP },
	{ "protect", "PREFIXES", "what is protected; never blocked", ID_PROTECT },
	{ "role", "ROLE",
	  "server: of each benign flow the responder becomes the\n"
	  "protected host; client: the busiest host does; asis",
	  ID_ROLE },
	{ "rewrite-dst", "A4[,A6]", "the protected host's addresses", ID_REWRITE_DST },
	{ "rewrite-dport", "PORT", "the attack's destination port becomes this", ID_REWRITE_DPORT },
	{ "labels", "FILE|auto", "what is attack; auto: CAPTURE.labels.yaml", ID_LABELS },
	{ "attack-filter", "EXPR", "what is attack, as tcpdump(8) says it", ID_ATTACK_FILTER },
	{ "stealth", NULL, "its SYNs get the TCP options of ordinary ones", ID_STEALTH },
	{ "attack-at", "TIME", "when it begins, after the warm-up (30s)", ID_ATTACK_AT },
	{ "attack-for", "TIME", "how long it is repeated (10s)", ID_ATTACK_FOR },
	{ "trim", NULL, "begin and end it with a packet labelled attack", ID_TRIM },
	{ "respoof", "auto|on|off",
	  "fresh sources on every repetition (where labelled\n"
	  "spoofed)",
	  ID_RESPOOF },
	{ "attack-rate", "native|PPS", "labelled packets a second", ID_ATTACK_RATE },
	{ "overlay", NULL, "all benign captures at once, not one after another", ID_OVERLAY },
	{ "speed", "X", "of benign captures, as 4 or 0.5", ID_SPEED },
	{ "max-gap", "TIME", "longer gaps become 1 s (5s)", ID_MAX_GAP },
	{ "phase", "TIME", "added to --attack-at; one run of it", ID_PHASE },
	{ "phases", "N", "runs, each of another phase and seed (5)", ID_PHASES },
	{ "seed", "N", "of all that stands for chance (1)", ID_SEED },
	{ "window", "TIME", "in place of the file's", ID_WINDOW },
	{ "only", "DETECTOR", "this one alone", ID_ONLY },
	{ "set", "DETECTOR.OPTION=VALUE", "in place of the file's; as often as needed", ID_SET },
	{ "direction", "in|both", "in: leave out what the protected host sends", ID_DIRECTION },
	{ "bar", "FILE", "exit with 1 if a figure misses it", ID_BAR },
	{ "suite", "FOLDER", "the whole protocol over attack/ and benign/ in it", ID_SUITE },
	{ "part", "PARTS",
	  "of a suite: native, 1s, 20k, port, stealth, benign,\n"
	  "crowd, alone, without, control (all)",
	  ID_PART },
	{ "control", "FILES", "of a suite: deployment files that must miss the bar", ID_CONTROL },
	{ "jobs", "N", "of a suite: processes at a time (one a CPU)", ID_JOBS },
	{ "diff", "A.yaml B.yaml", "two deployment files, on the same packets", ID_DIFF },
	{ "csv", "FILE", "the windows of the worst run, one a line", ID_CSV },
	{ "svg", "FILE", "a picture of them", ID_SVG },
	{ "bench", NULL, "measure packets/s, beside a bare loop", ID_BENCH },
	{ "json", NULL, "for programs: JSON instead of text", ID_JSON },
	{ "help", NULL, "this text", ID_HELP },
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

static const char *const part_names[] = {
#define X(name, text, help) text,
	EVALUATE_PARTS(X)
#undef X
};

/* Adds what `text` names, separated by commas. */
static int add_items(struct evaluate_list *list, const char *text)
{
	while (*text) {
		size_t size = strcspn(text, ",");
		char **items = realloc(list->items, (list->n + 1) * sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		if (size) {
			items[list->n] = strndup(text, size);
			if (!items[list->n])
				return -ENOMEM;
			list->n++;
		}
		text += size + (text[size] == ',');
	}
	return 0;
}

void evaluate_list_fini(struct evaluate_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

void evaluate_options_fini(struct evaluate_options *options)
{
	evaluate_list_fini(&options->attack);
	evaluate_list_fini(&options->benign);
	evaluate_list_fini(&options->warmup);
	evaluate_list_fini(&options->control);
	for (size_t i = 0; i < options->n_settings; i++) {
		free(options->settings[i].detector);
		config_node_free(options->settings[i].options);
	}
}

const char *evaluate_part_name(enum evaluate_part part)
{
	return part_names[part];
}

/* One of `names`, or -EINVAL with those there are. */
static int pick(const char *option, const char *given, const char *const *names, size_t n,
		struct sluice_err *err)
{
	const char *near = nearest_name(given, names, n);
	char all[80] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(given, names[i]) == 0)
			return (int)i;
		used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
					 i == 0	     ? ""
					 : i + 1 < n ? ", "
						     : " or ",
					 names[i]);
	}
	err_set(err, option, "--%s: '%s' is not %s%s%s%s", option, given, all,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	return -EINVAL;
}

/* A quantity, with the option named in the reason. */
static int take_quantity(const char *option, enum quantity_kind kind, uint64_t minimum,
			 uint64_t maximum, uint64_t *value, struct sluice_err *err)
{
	int ret = quantity_parse_range(kind, optarg, minimum, maximum, value, err);

	if (ret) {
		err_prefix(err, "--%s", option);
		return -EINVAL;
	}
	return 0;
}

static int take_prefixes(struct evaluate_options *options, struct sluice_err *err)
{
	struct evaluate_list list = { 0 };
	int ret = add_items(&list, optarg);

	for (size_t i = 0; !ret && i < list.n; i++) {
		if (options->mix.n_protect == MIX_MAX_PROTECTED) {
			err_set(err, "protect", "--protect: more than %d prefixes",
				MIX_MAX_PROTECTED);
			ret = -EINVAL;
			break;
		}
		ret = address_parse_prefix(list.items[i], ADDRESS_STRICT,
					   &options->protect[options->mix.n_protect], err);
		if (ret)
			err_prefix(err, "--protect");
		options->mix.n_protect += !ret;
	}
	evaluate_list_fini(&list);
	return ret;
}

static int take_hosts(struct evaluate_options *options, struct sluice_err *err)
{
	struct evaluate_list list = { 0 };
	int ret = add_items(&list, optarg);

	for (size_t i = 0; !ret && i < list.n; i++) {
		struct sluice_key key;

		ret = address_parse(list.items[i], &key, err);
		if (ret)
			err_prefix(err, "--rewrite-dst");
		else if (key.family == SLUICE_FAMILY_IPV6)
			options->mix.host6 = key;
		else
			options->mix.host4 = key;
	}
	evaluate_list_fini(&list);
	return ret;
}

static int take_parts(struct evaluate_options *options, struct sluice_err *err)
{
	struct evaluate_list list = { 0 };
	int ret = add_items(&list, optarg);

	if (options->parts == ALL_PARTS)
		options->parts = 0;
	for (size_t i = 0; ret >= 0 && i < list.n; i++) {
		ret = pick("part", list.items[i], part_names, EVALUATE_N_PARTS, err);
		if (ret >= 0)
			options->parts |= 1u << ret;
	}
	evaluate_list_fini(&list);
	return ret < 0 ? ret : 0;
}

/* "signature.without=[syn_no_options]": what follows the point is YAML. */
static int take_setting(struct evaluate_options *options, struct sluice_err *err)
{
	const char *point = strchr(optarg, '.'), *equals = strchr(optarg, '=');
	struct evaluate_setting *setting = &options->settings[options->n_settings];
	struct config_errors errors;
	char *text;
	int ret;

	if (!point || !equals || equals < point || point == optarg) {
		err_set(err, "set", "--set: '%s' is not DETECTOR.OPTION=VALUE", optarg);
		return -EINVAL;
	}
	if (options->n_settings == EVALUATE_MAX_SETTINGS) {
		err_set(err, "set", "--set: more than %d of them", EVALUATE_MAX_SETTINGS);
		return -EINVAL;
	}
	if (asprintf(&text, "%.*s: %s", (int)(equals - point - 1), point + 1, equals + 1) < 0)
		return -ENOMEM;
	config_errors_init(&errors);
	ret = config_node_parse("--set", text, strlen(text), &errors, &setting->options);
	free(text);
	if (ret) {
		config_errors_to_err(&errors, err);
		return ret;
	}
	options->n_settings++;
	setting->detector = strndup(optarg, (size_t)(point - optarg));
	return setting->detector ? 0 : -ENOMEM;
}

/* "4", "0.5": in millionths. */
static int take_speed(struct evaluate_options *options, struct sluice_err *err)
{
	char *end;
	double speed = strtod(optarg, &end);

	if (end == optarg || (*end && strcmp(end, "x") != 0) || !(speed >= 0.001) ||
	    !(speed <= 1000)) {
		err_set(err, "speed", "--speed: '%s' is no factor from 0.001 to 1000, such as 4",
			optarg);
		return -EINVAL;
	}
	options->mix.speed_ppm = (uint64_t)(speed * 1e6 + 0.5);
	return 0;
}

static int take_rate(struct evaluate_options *options, struct sluice_err *err)
{
	if (strcmp(optarg, "native") == 0) {
		options->mix.attack_pps = 0;
		return 0;
	}
	return take_quantity("attack-rate", QUANTITY_RATE, 1, 100000000, &options->mix.attack_pps,
			     err);
}

static int take_choice(enum option_id id, struct evaluate_options *options, struct sluice_err *err)
{
	static const char *const roles[] = { "server", "client", "asis" };
	static const char *const respoofs[] = { "auto", "on", "off" };
	static const char *const directions[] = { "in", "both" };
	int choice;

	switch (id) {
	case ID_ROLE:
		choice = pick("role", optarg, roles, 3, err);
		options->mix.role = choice < 0 ? MIX_ROLE_SERVER : (enum mix_role)choice;
		options->role_given = true;
		return choice < 0 ? choice : 0;
	case ID_RESPOOF:
		choice = pick("respoof", optarg, respoofs, 3, err);
		options->mix.respoof = choice < 0 ? MIX_RESPOOF_AUTO : (enum mix_respoof)choice;
		return choice < 0 ? choice : 0;
	default:
		choice = pick("direction", optarg, directions, 2, err);
		options->mix.inbound_only = choice == 0;
		return choice < 0 ? choice : 0;
	}
}

static int take_number(enum option_id id, struct evaluate_options *options, struct sluice_err *err)
{
	const uint64_t day_ns = 86400 * SECOND_NS;
	uint64_t value = 0;
	int ret;

	switch (id) {
	case ID_ATTACK_AT:
		return take_quantity("attack-at", QUANTITY_DURATION, 0, day_ns,
				     &options->mix.attack_at_ns, err);
	case ID_ATTACK_FOR:
		return take_quantity("attack-for", QUANTITY_DURATION, 1, day_ns,
				     &options->mix.attack_for_ns, err);
	case ID_MAX_GAP:
		return take_quantity("max-gap", QUANTITY_DURATION, 1, day_ns, &options->max_gap_ns,
				     err);
	case ID_PHASE:
		options->phase_given = true;
		options->phases = 1;
		return take_quantity("phase", QUANTITY_DURATION, 0, day_ns, &options->mix.phase_ns,
				     err);
	case ID_PHASES:
		ret = take_quantity("phases", QUANTITY_COUNT, 1, PHASES_MAX, &value, err);
		options->phases = (unsigned int)value;
		return ret;
	case ID_JOBS:
		ret = take_quantity("jobs", QUANTITY_COUNT, 1, JOBS_MAX, &value, err);
		options->jobs = (unsigned int)value;
		return ret;
	case ID_SEED:
		return take_quantity("seed", QUANTITY_COUNT, 0, UINT64_MAX, &options->mix.seed,
				     err);
	case ID_WINDOW:
		/* As the file's, by its schema. */
		return take_quantity("window", QUANTITY_DURATION, SECOND_NS / 10, 60 * SECOND_NS,
				     &options->window_ns, err);
	default:
		ret = take_quantity("rewrite-dport", QUANTITY_COUNT, 1, 65535, &value, err);
		options->mix.attack_port = (uint16_t)value;
		return ret;
	}
}

static int take(enum option_id id, struct evaluate_options *options, struct sluice_err *err)
{
	switch (id) {
	case ID_DIFF:
	case ID_CONFIG:
		options->config = optarg;
		return 0;
	case ID_ATTACK:
		return add_items(&options->attack, optarg);
	case ID_BENIGN:
		return add_items(&options->benign, optarg);
	case ID_WARMUP:
		return add_items(&options->warmup, optarg);
	case ID_PROTECT:
		return take_prefixes(options, err);
	case ID_REWRITE_DST:
		return take_hosts(options, err);
	case ID_LABELS:
		options->labels = strcmp(optarg, "auto") == 0 ? NULL : optarg;
		return 0;
	case ID_ATTACK_FILTER:
		options->attack_filter = optarg;
		return 0;
	case ID_TRIM:
		options->mix.trim = true;
		return 0;
	case ID_ATTACK_RATE:
		return take_rate(options, err);
	case ID_OVERLAY:
		options->mix.overlay = true;
		return 0;
	case ID_SPEED:
		return take_speed(options, err);
	case ID_ONLY:
		options->only = optarg;
		return 0;
	case ID_CSV:
		options->csv = optarg;
		return 0;
	case ID_SVG:
		options->svg = optarg;
		return 0;
	case ID_BAR:
		options->bar = optarg;
		return 0;
	case ID_SUITE:
		options->suite = optarg;
		return 0;
	case ID_PART:
		return take_parts(options, err);
	case ID_CONTROL:
		return add_items(&options->control, optarg);
	case ID_SET:
		return take_setting(options, err);
	case ID_STEALTH:
		options->mix.stealth = true;
		return 0;
	case ID_BENCH:
		options->bench = true;
		return 0;
	case ID_JSON:
		options->json = true;
		return 0;
	case ID_HELP:
		options->help = true;
		return 0;
	case ID_ROLE:
	case ID_RESPOOF:
	case ID_DIRECTION:
		return take_choice(id, options, err);
	default:
		return take_number(id, options, err);
	}
}

static int refuse(const char *given, struct sluice_err *err)
{
	const char *names[TABLE_SIZE], *near;

	for (size_t i = 0; i < TABLE_SIZE; i++)
		names[i] = table[i].name;
	near = nearest_name(given + strspn(given, "-"), names, TABLE_SIZE);
	if (near)
		err_set(err, NULL, "unknown option '%s'; did you mean --%s?", given, near);
	else
		err_set(err, NULL, "unknown option '%s'; see `sluice replay --help`", given);
	return -EINVAL;
}

/* What contradicts itself, and what follows from what was said. */
static int settle(struct evaluate_options *options, struct sluice_err *err)
{
	options->mix.protect = options->protect;
	if (!options->config)
		err_set(err, "config", "--config FILE is missing; see `sluice replay --help`");
	else if (options->suite && (options->attack.n || options->benign.n || options->warmup.n))
		err_set(err, "suite",
			"--suite takes its captures from its folder; leave --attack, "
			"--benign and --warmup out");
	else if (!options->suite && (options->control.n || options->parts != ALL_PARTS))
		err_set(err, "suite", "--part and --control are of a suite; see --suite");
	else if (!options->suite && !options->attack.n && !options->benign.n)
		err_set(err, "benign",
			"no captures; name some by --attack and --benign, or a "
			"folder by --suite");
	else if (options->suite && (options->csv || options->svg || options->other_config))
		err_set(err, "suite", "--csv, --svg and --diff are of one mix; leave --suite out");
	else if (options->other_config && (options->csv || options->svg || options->bar))
		err_set(err, "diff",
			"--csv, --svg and --bar are of one deployment file; leave "
			"--diff out");
	else if (options->attack_filter && !options->attack.n)
		err_set(err, "attack-filter", "--attack-filter is of the captures of --attack");
	else if (options->labels && !options->attack.n)
		err_set(err, "labels",
			"--labels is of the captures of --attack; those of others "
			"lie beside them, as CAPTURE.labels.yaml");
	else
		return 0;
	return -EINVAL;
}

static int take_operands(int argc, char *argv[], bool diff, struct evaluate_options *options,
			 struct sluice_err *err)
{
	int ret = 0;

	if (diff && optind == argc) {
		err_set(err, "diff", "--diff wants two files: --diff A.yaml B.yaml");
		return -EINVAL;
	}
	if (diff)
		options->other_config = argv[optind++];
	/* Captures without an option are benign ones, as `sluice replay --config FILE x.pcap`. */
	for (; !ret && optind < argc; optind++)
		ret = add_items(&options->benign, argv[optind]);
	return ret;
}

static unsigned int count_cpus(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) ? 1 : CPU_COUNT(&cpus);

	return n < JOBS_MAX ? (unsigned int)n : JOBS_MAX;
}

int evaluate_options_parse(int argc, char *argv[], struct evaluate_options *options,
			   struct sluice_err *err)
{
	struct option long_options[TABLE_SIZE + 1] = { { 0 } };
	bool diff = false;
	int id, ret = 0;

	memset(options, 0, sizeof(*options));
	mix_options_init(&options->mix);
	options->mix.seed = 1;
	options->mix.phase_ns = MIX_PHASE_BY_SEED;
	options->phases = EVALUATE_PHASES;
	options->parts = ALL_PARTS;
	options->jobs = count_cpus();
	for (size_t i = 0; i < TABLE_SIZE; i++)
		long_options[i] = (struct option){
			.name = table[i].name,
			.has_arg = table[i].value ? required_argument : no_argument,
			.val = (int)table[i].id,
		};
	optind = 0; /* GNU: start anew. */
	while (!ret && (id = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (id == ':') {
			err_set(err, NULL, "option '%s' wants a value", argv[optind - 1]);
			return -EINVAL;
		}
		if (id == '?')
			return refuse(argv[optind - 1], err);
		diff |= id == ID_DIFF;
		ret = take(id == 'h' ? ID_HELP : (enum option_id)id, options, err);
	}
	if (ret || options->help)
		return ret;
	ret = take_operands(argc, argv, diff, options, err);
	return ret ? ret : settle(options, err);
}

static void print_option(FILE *out, size_t i)
{
	const char *text = table[i].help;
	char name[40];

	snprintf(name, sizeof(name), "--%s%s%s", table[i].name, table[i].value ? " " : "",
		 table[i].value ? table[i].value : "");
	/* What has more to say goes on below itself. */
	for (const char *label = name; *text; label = "") {
		size_t size = strcspn(text, "\n");

		fprintf(out, "  %-24s %.*s\n", label, (int)size, text);
		text += size + (text[size] == '\n');
	}
}

void evaluate_options_help(FILE *out)
{
	fputs("Usage: sluice replay --config FILE [--attack FILES] [--benign FILES] [...]\n"
	      "       sluice replay --config FILE --suite FOLDER [--bar FILE] [...]\n"
	      "       sluice replay --diff A.yaml B.yaml [...]\n"
	      "\n"
	      "Puts captures (pcap, pcapng) through the same filter, engine and plugins as live, on a\n"
	      "virtual clock, and tells how much of the attack was dropped, how soon, and whom that\n"
	      "harmed.  Nothing is attached, a running sluiced is not touched.  Needs root.\n"
	      "\n"
	      "With --attack: the warm-up, then the attack mixed into the benign captures, all\n"
	      "rewritten to one protected host; the worst of five phases.  Without: a dry run.\n"
	      "\n"
	      "  sluice replay --config edge.yaml --attack flood.pcap --benign web.pcap\n"
	      "  sluice replay --config edge.yaml yesterday.pcap\n"
	      "\n",
	      out);
	for (size_t i = 0; i < TABLE_SIZE; i++)
		print_option(out, i);
	fputs("\nExit codes: 0 done; 1 the bar is missed; 2 input is refused, or wrong usage;\n"
	      "4 failed otherwise.  Manual: sluice-replay(1).\n",
	      out);
}
