/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back end for the emulated NIC: its table is in the BPF maps that a card made by sluice-emu-card
 * has pinned.  The card exists apart from the daemon, as a real one would, and outlives it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sluice/backend.h>

#include "card.h"
#include "explain.h"
#include "fault.h"
#include "logic.h"
#include "rules.h"

struct emu {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct card card;
	bool counters;
	uint64_t update_cost_ns;
	char fault_file[PATH_MAX]; /* Empty: none. */
	struct fault fault;	   /* As of the call that is being done. */
};

#define FAULT_SLOW_NS 2000000u
#define FAULT_POLL_NS 10000000u /* While it hangs. */

static int read_options(struct emu *emu, const struct sluice_config *config, const char **card,
			struct sluice_err *err)
{
	const char *fault_file = "";
	int rc = emu->host->option_string(config, "card", card), fault_rc;

	fault_rc = emu->host->option_string(config, "fault_file", &fault_file);
	if (fault_rc && fault_rc != -ENODATA)
		rc = fault_rc;
	if (strlen(fault_file) < sizeof(emu->fault_file))
		memcpy(emu->fault_file, fault_file, strlen(fault_file) + 1);
	if (rc == 0)
		rc = emu->host->option_bool(config, "counters", &emu->counters);
	if (rc == 0)
		rc = emu->host->option_u64(config, "update_cost", &emu->update_cost_ns);
	if (rc)
		explain(err, "the manifest does not declare what this back end reads");
	return rc;
}

/* Opened as its writer, with the rules that are in it. */
static int open_card(const char *path, struct card *card, struct sluice_err *err)
{
	int rc = card_open(path, CARD_WRITE, card, err);

	if (rc)
		return rc;
	rc = rules_adopt(card, err);
	if (rc)
		card_close(card);
	return rc;
}

/* Any interface will do: which traffic passes the card is decided where its programs run. */
static int emu_open(struct sluice_instance *instance, const struct sluice_host *host,
		    const struct sluice_config *config, const char *ifname,
		    struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	struct emu *emu = calloc(1, sizeof(*emu));
	const char *path;
	int rc;

	(void)ifname;
	if (!emu) {
		explain(err, "out of memory");
		return -ENOMEM;
	}
	emu->instance = instance;
	emu->host = host;
	rc = read_options(emu, config, &path, err);
	if (rc == 0)
		rc = open_card(path, &emu->card, err);
	if (rc) {
		free(emu);
		return rc;
	}
	logic_caps(&emu->card.info, emu->counters, emu->update_cost_ns, caps);
	host->log(instance, SLUICE_LOG_NOTICE,
		  "card '%s' is an emulation: %u rules, %s, IPv6 by /%u", path,
		  emu->card.info.capacity, caps->counters ? "hit counters" : "no hit counters",
		  emu->card.info.v6_prefix_len);
	*self = emu;
	return 0;
}

static void emu_close(void *self)
{
	struct emu *emu = self;

	if (!emu)
		return;
	card_close(&emu->card);
	free(emu);
}

static void sleep_ns(uint64_t ns)
{
	struct timespec left = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	while (ns > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
}

/* The emulated card at work on one rule. */
static void spend_cost(const struct emu *emu)
{
	sleep_ns(emu->update_cost_ns + (emu->fault.slow ? FAULT_SLOW_NS : 0));
}

/* Deletes all rules, at the card's pace or at once. */
static int clear(struct emu *emu, bool paced, struct sluice_err *err)
{
	struct card_rule *rules;
	size_t n_rules;
	int rc = card_rules(&emu->card, &rules, &n_rules, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n_rules; i++) {
		struct sluice_key key;
		int one;

		if (!logic_key_from_card(&emu->card.info, &rules[i].key, &key))
			continue;
		if (paced)
			spend_cost(emu);
		one = rules_del(&emu->card, &rules[i].key);
		if (one && one != -ENOENT)
			rc = one;
	}
	free(rules);
	if (rc)
		explain(err, "card '%.80s': cannot delete every rule: %s", emu->card.path,
			strerror(-rc));
	return rc;
}

/* Whatever cannot be read or understood is no fault. */
static void read_faults(struct emu *emu)
{
	char text[256];
	ssize_t n;
	int fd;

	memset(&emu->fault, 0, sizeof(emu->fault));
	fd = emu->fault_file[0] ? open(emu->fault_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	if (fault_parse(text, &emu->fault) == 0)
		return;
	memset(&emu->fault, 0, sizeof(emu->fault));
	emu->host->log(emu->instance, SLUICE_LOG_WARNING,
		       "fault_file '%s': a word in it is none of slow, refuse, lie, forget, gone, "
		       "hang and full",
		       emu->fault_file);
}

/* At the beginning of every call: it may never come back, or find the card gone. */
static int meet_faults(struct emu *emu, struct sluice_err *err)
{
	read_faults(emu);
	while (emu->fault.hang) {
		sleep_ns(FAULT_POLL_NS);
		read_faults(emu);
	}
	if (!emu->fault.gone)
		return 0;
	explain(err, "card '%.80s': gone, as fault_file says", emu->card.path);
	return -ENODEV;
}

static int begin(struct emu *emu, struct sluice_err *err)
{
	int rc = meet_faults(emu, err);

	rc = rc ? rc : card_check(&emu->card, err);
	return rc || !emu->fault.forget ? rc : clear(emu, false, err);
}

static int add_one(struct emu *emu, const struct sluice_key *source)
{
	struct emu_card_key key;
	int rc = logic_key_to_card(&emu->card.info, source, &key);

	if (rc)
		return rc;
	spend_cost(emu);
	if (emu->fault.refuse)
		return -EIO;
	if (emu->fault.lie)
		return 0;
	if (emu->fault.full && emu->card.n_rules >= emu->fault.room)
		return -ENOSPC;
	return rules_add(&emu->card, &key);
}

static int emu_add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err)
{
	struct emu *emu = self;
	int rc = begin(emu, err);

	for (size_t i = 0; i < n && rc == 0; i++)
		results[i] = add_one(emu, &rules[i].key);
	return rc;
}

/* A rule that the card cannot hold is not in it. */
static int del_one(struct emu *emu, const struct sluice_key *source)
{
	struct emu_card_key key;

	if (logic_key_to_card(&emu->card.info, source, &key))
		return -ENOENT;
	spend_cost(emu);
	return rules_del(&emu->card, &key);
}

static int emu_del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err)
{
	struct emu *emu = self;
	int rc = begin(emu, err);

	for (size_t i = 0; i < n && rc == 0; i++)
		results[i] = del_one(emu, &rules[i].key);
	return rc;
}

static int emu_read(void *self, struct sluice_backend_counter *counters, size_t n, size_t *count,
		    struct sluice_err *err)
{
	struct emu *emu = self;
	struct card_rule *rules;
	size_t n_rules;
	int rc = begin(emu, err);

	*count = 0;
	if (rc == 0)
		rc = card_rules(&emu->card, &rules, &n_rules, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n_rules && *count < n; i++) {
		struct sluice_backend_counter *counter = &counters[*count];

		*counter = (struct sluice_backend_counter){
			.packets = rules[i].hits.packets,
			.bytes = rules[i].hits.bytes,
		};
		*count += logic_key_from_card(&emu->card.info, &rules[i].key, &counter->key);
	}
	free(rules);
	return 0;
}

/* The way back to a card that was destroyed and made anew, as list() is what the host asks then. */
static int reopen(struct emu *emu, struct sluice_err *err)
{
	struct card *fresh = malloc(sizeof(*fresh));
	int rc = fresh ? open_card(emu->card.path, fresh, err) : -ENOMEM;

	if (rc == 0 && (fresh->info.counters != emu->card.info.counters ||
			fresh->info.v6_prefix_len != emu->card.info.v6_prefix_len)) {
		explain(err,
			"card '%.80s': it was made anew with other counters or another IPv6 "
			"prefix length; restart sluiced to use it",
			emu->card.path);
		card_close(fresh);
		rc = -ENODEV;
	}
	if (rc == 0) {
		card_close(&emu->card);
		emu->card = *fresh;
		emu->host->log(emu->instance, SLUICE_LOG_NOTICE,
			       "card '%s' was made anew: %u rules", emu->card.path,
			       emu->card.info.capacity);
	}
	free(fresh);
	return rc ? -ENODEV : 0;
}

static int emu_list(void *self, struct sluice_backend_rule *out, size_t n, size_t *count,
		    struct sluice_err *err)
{
	struct emu *emu = self;
	struct card_rule *rules;
	size_t n_rules;
	int rc = meet_faults(emu, err);

	*count = 0;
	if (rc)
		return rc;
	rc = card_check(&emu->card, err) ? reopen(emu, err) : rules_adopt(&emu->card, err);
	if (rc == 0)
		rc = card_rules(&emu->card, &rules, &n_rules, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n_rules && *count < n; i++)
		*count += logic_key_from_card(&emu->card.info, &rules[i].key, &out[*count].key);
	free(rules);
	return 0;
}

static int emu_flush(void *self, struct sluice_err *err)
{
	struct emu *emu = self;
	int rc = begin(emu, err);

	return rc ? rc : clear(emu, true, err);
}

static const struct sluice_backend_ops emu_ops = {
	.size = sizeof(emu_ops),
	.open = emu_open,
	.close = emu_close,
	.add = emu_add,
	.del = emu_del,
	.read = emu_read,
	.list = emu_list,
	.flush = emu_flush,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0, /* As the manifest has it: nothing younger is used. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_BACKEND,
	.name = "emu",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &emu_ops,
};
