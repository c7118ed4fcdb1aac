/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detector `signature`: joins logic.h to the host, puts its figures into words, and keeps a record of
 * the attack that goes on.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/detector.h>

#include "attack_record.h"
#include "builtin.h"
#include "logic.h"
#include "set.h"

struct detector {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct signature_set set;
	struct logic *logic;
	struct attack_record *record;
	const char *export_folder; /* "": none; the config's. */
};

/* Reads options and remembers the first that failed. */
struct reader {
	const struct sluice_host *host;
	const struct sluice_config *config;
	struct sluice_err *err;
	int code;
};

static void note(struct reader *reader, const char *name, int code)
{
	if (code == 0 || reader->code != 0)
		return;
	reader->code = code;
	snprintf(reader->err->path, sizeof(reader->err->path), "%s", name);
	snprintf(reader->err->text, sizeof(reader->err->text),
		 "cannot be read; install the manifest of the same build");
}

static uint64_t read_u64(struct reader *reader, const char *name)
{
	uint64_t value = 0;

	note(reader, name, reader->host->option_u64(reader->config, name, &value));
	return value;
}

static double read_double(struct reader *reader, const char *name)
{
	double value = 0;

	note(reader, name, reader->host->option_double(reader->config, name, &value));
	return value;
}

/* "" if the deployment file does not give it. */
static const char *read_string(struct reader *reader, const char *name)
{
	const char *value = "";
	int code = reader->host->option_string(reader->config, name, &value);

	note(reader, name, code == -ENODATA ? 0 : code);
	return value;
}

static void add_builtin(struct reader *reader, struct signature_set *set)
{
	bool builtin = false;

	note(reader, "builtin", reader->host->option_bool(reader->config, "builtin", &builtin));
	if (reader->code == 0 && builtin)
		reader->code = signature_set_parse(set, signature_builtin, signature_builtin_size,
						   "built-in signatures", reader->err);
}

static void add_file(struct reader *reader, struct detector *detector, const char *option)
{
	const char *path = read_string(reader, option);
	size_t left_out;

	if (reader->code != 0 || path[0] == '\0')
		return;
	reader->code = signature_set_read(&detector->set, path, &left_out, reader->err);
	if (reader->code != 0)
		snprintf(reader->err->path, sizeof(reader->err->path), "%s", option);
	else if (left_out)
		reader->host->log(detector->instance, SLUICE_LOG_WARNING,
				  "%zu attack vectors of '%s' cannot be told from other traffic by "
				  "their packets and are left out",
				  left_out, path);
}

static void leave_out(struct reader *reader, struct signature_set *set)
{
	const char *name;

	for (size_t i = 0; reader->code == 0; i++) {
		if (reader->host->list_string(reader->config, "without", i, &name))
			return;
		if (signature_set_drop(set, name))
			continue;
		reader->code = -EINVAL;
		snprintf(reader->err->path, sizeof(reader->err->path), "without");
		snprintf(reader->err->text, sizeof(reader->err->text),
			 "there is no signature '%.64s' to leave out", name);
	}
}

static int read_set(struct reader *reader, struct detector *detector)
{
	add_builtin(reader, &detector->set);
	add_file(reader, detector, "signatures");
	add_file(reader, detector, "fingerprint");
	leave_out(reader, &detector->set);
	if (reader->code == 0 && detector->set.n == 0) {
		reader->code = -EINVAL;
		snprintf(reader->err->path, sizeof(reader->err->path), "builtin");
		snprintf(reader->err->text, sizeof(reader->err->text),
			 "there is no signature left to look for; set 'builtin', 'signatures' or "
			 "'fingerprint'");
	}
	return reader->code;
}

static struct logic_params read_params(struct reader *reader)
{
	return (struct logic_params){
		.pps = read_u64(reader, "pps"),
		.deviation = read_double(reader, "deviation"),
		.growth = read_double(reader, "growth"),
		.min_samples = (uint32_t)read_u64(reader, "min_samples"),
		.lag = (uint32_t)read_u64(reader, "lag"),
		.calm_windows = (uint32_t)read_u64(reader, "calm_windows"),
	};
}

static void signature_destroy(void *self);

static int set_up(struct detector *detector, struct reader *reader)
{
	struct logic_params params = read_params(reader);
	int code;

	detector->export_folder = read_string(reader, "export");
	if (reader->code != 0)
		return reader->code;
	code = signature_set_init(&detector->set);
	if (code == 0)
		code = read_set(reader, detector);
	if (code == 0)
		code = logic_new(&params, &detector->set, &detector->logic);
	if (code == 0)
		code = attack_record_new(&detector->record);
	if (code == -ENOMEM)
		snprintf(reader->err->text, sizeof(reader->err->text), "out of memory");
	return code;
}

static int signature_create(struct sluice_instance *instance, const struct sluice_host *host,
			    const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct reader reader = { .host = host, .config = config, .err = err };
	struct detector *detector = calloc(1, sizeof(*detector));
	int code;

	if (!detector) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		return -ENOMEM;
	}
	detector->instance = instance;
	detector->host = host;
	code = set_up(detector, &reader);
	if (code != 0) {
		signature_destroy(detector);
		return code;
	}
	*self = detector;
	return 0;
}

static const char **names_of(const struct signature_set *set)
{
	const char **names = calloc(set->n, sizeof(*names));

	for (size_t i = 0; names && i < set->n; i++)
		names[i] = set->list[i].name;
	return names;
}

static void write_record(struct detector *detector)
{
	const char **names = names_of(&detector->set);
	struct sluice_err err = { 0 };
	char path[PATH_MAX];

	if (!names)
		return;
	if (attack_record_write(detector->record, names, detector->set.n, detector->export_folder,
				path, &err))
		detector->host->log(detector->instance, SLUICE_LOG_ERROR, "%s", err.text);
	else
		detector->host->log(detector->instance, SLUICE_LOG_NOTICE,
				    "wrote the attack's fingerprint to '%s'", path);
	free(names);
}

static void end_record(struct detector *detector)
{
	if (attack_record_is_empty(detector->record))
		return;
	write_record(detector);
	attack_record_clear(detector->record);
}

static void signature_destroy(void *self)
{
	struct detector *detector = self;

	if (!detector)
		return;
	if (detector->record)
		end_record(detector);
	logic_free(detector->logic);
	attack_record_free(detector->record);
	signature_set_fini(&detector->set);
	free(detector);
}

static int propose(struct detector *detector, size_t i)
{
	const struct signature *signature = &detector->set.list[i];
	const struct logic_finding *finding = logic_finding(detector->logic, i);
	char evidence[128];
	struct sluice_rule_proposal proposal = {
		.size = sizeof(proposal),
		.match = &signature->match,
		.action = signature->action,
		.is_per_source = signature->is_per_source,
		.rate = signature->rate,
		.packets_per_second = (uint64_t)finding->pps,
		.reason = signature->name,
		.evidence = evidence,
	};

	snprintf(evidence, sizeof(evidence),
		 "%.0f packets/s from strangers fit it, limit %.0f; %u of the window's samples",
		 finding->pps, finding->limit, finding->samples);
	return detector->host->propose_rule(detector->instance, &proposal);
}

static void record_window(struct detector *detector, const struct sluice_window *window)
{
	struct timespec now;

	if (detector->export_folder[0] == '\0')
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	attack_record_time(detector->record, now.tv_sec);
	for (size_t i = 0; i < window->n_samples; i++) {
		int place = logic_sample_signature(detector->logic, i);

		if (place >= 0 && logic_finding(detector->logic, (size_t)place)->active)
			attack_record_add(detector->record, (size_t)place,
					  logic_sample_packet(detector->logic, i),
					  sluice_window_sample(window, i)->frame_size,
					  (double)window->passed_packets /
						  (double)window->n_samples);
	}
	for (size_t i = 0; SLUICE_HAS(window, rule_size) && i < window->n_rules; i++) {
		const struct sluice_window_rule *rule = sluice_window_rule(window, i);
		int at = signature_set_find(&detector->set, rule->reason, sizeof(rule->reason));

		if (at >= 0)
			attack_record_dropped(detector->record, (size_t)at, rule->dropped_packets,
					      rule->dropped_bytes);
	}
}

static void say(const struct detector *detector, size_t i, struct sluice_verdict *verdict)
{
	const struct logic_finding *finding = logic_finding(detector->logic, i);
	size_t length = strlen(verdict->evidence);

	snprintf(verdict->evidence + length, sizeof(verdict->evidence) - length,
		 "%s%s %.0f packets/s (limit %.0f)", length ? ", " : "", detector->set.list[i].name,
		 finding->pps, finding->limit);
}

static int signature_observe(void *self, const struct sluice_window *window,
			     struct sluice_verdict *verdict)
{
	struct detector *detector = self;
	int code = logic_observe(detector->logic, window);

	if (code != 0)
		return code;
	for (size_t i = 0; i < detector->set.n; i++) {
		const struct logic_finding *finding = logic_finding(detector->logic, i);
		double score = finding->limit > 0 ? finding->pps / finding->limit : 0;

		if (score > verdict->score)
			verdict->score = score;
		if (!finding->active)
			continue;
		verdict->attack = true;
		say(detector, i, verdict);
		/* -EOPNOTSUPP, -ENOSPC: the host told the operator; the verdict stands. */
		(void)propose(detector, i);
	}
	if (verdict->attack)
		record_window(detector, window);
	else
		end_record(detector);
	return 0;
}

static const struct sluice_detector_ops signature_ops = {
	.size = sizeof(signature_ops),
	.create = signature_create,
	.destroy = signature_destroy,
	.observe = signature_observe,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 3, /* propose_rule(), the window's rules, a list of options. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "signature",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &signature_ops,
};
