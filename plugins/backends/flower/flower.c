/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back end for cards whose drivers offload the kernel's flower classifier: opens the interface and
 * maps the contract's calls to requests.  The card's rules outlive the daemon.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/backend.h>

#include "explain.h"
#include "socket.h"
#include "table.h"

#define DUMP_TRIES 4 /* A table that changes under each dump is not ours alone. */

/*
 * Drivers ask their cards for counters about once a second, and tell the last answer meanwhile.  One
 * that stood still for so long has been asked for.
 */
#define REFRESH_NS 2000000000u

struct flower {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct flower_socket *sock;
	struct flower_place place;
	struct table *table;
	uint32_t capacity;
	char ifname[IFNAMSIZ];
};

static int read_options(struct flower *flower, const struct sluice_config *config,
			struct sluice_err *err)
{
	const struct sluice_host *host = flower->host;
	uint64_t capacity = 0, chain = 0, priority = 0;
	const char *mode = "";
	int rc = host->option_string(config, "mode", &mode);

	rc = rc ? rc : host->option_u64(config, "capacity", &capacity);
	rc = rc ? rc : host->option_u64(config, "chain", &chain);
	rc = rc ? rc : host->option_u64(config, "priority", &priority);
	if (rc) {
		explain(err, "the manifest does not declare what this back end reads");
		return rc;
	}
	flower->capacity = (uint32_t)capacity;
	flower->place.chain = (uint32_t)chain;
	flower->place.priority = (uint16_t)priority;
	flower->place.hardware = strcmp(mode, "skip_hw") != 0;
	return 0;
}

/* One request; 0: it is done. */
static int ask(struct flower *flower, socket_request *request, char text[128])
{
	struct nl_msg *msg;
	int rc = request(&flower->place, socket_seq(flower->sock), &msg), result = 0;

	if (rc)
		return rc;
	socket_queue(flower->sock, msg, &result);
	rc = socket_send(flower->sock, &flower->place, text);
	return rc ? rc : result;
}

/* Finds the interface, which may be a new one of that name, and makes the hook if it is not there. */
static int attach(struct flower *flower, struct sluice_err *err)
{
	unsigned int ifindex = if_nametoindex(flower->ifname);
	char text[128] = "";
	int rc;

	if (ifindex == 0) {
		explain(err, "interface '%s': there is none of that name", flower->ifname);
		return -ENODEV;
	}
	if ((int)ifindex != flower->place.ifindex)
		flower->place.own_hook = false;
	flower->place.ifindex = (int)ifindex;
	rc = ask(flower, request_hook, text);
	if (rc == -EEXIST)
		return 0;
	if (rc == 0)
		flower->place.own_hook = true;
	else
		explain(err, "interface '%s': cannot add the clsact qdisc: %s%s%s", flower->ifname,
			strerror(-rc), text[0] ? ": " : "", text);
	return rc;
}

static int refuse(void *context, const struct reply *reply)
{
	(void)context;
	(void)reply;
	return -EBUSY;
}

/* Takes the hook away that this back end made, unless a filter hangs on it, whosever that is. */
static void detach(struct flower *flower)
{
	const struct flower_place *place = &flower->place;
	char text[128];

	if (place->own_hook &&
	    socket_dump(flower->sock, place, request_dump_ingress, refuse, NULL) == 0 &&
	    socket_dump(flower->sock, place, request_dump_egress, refuse, NULL) == 0)
		(void)ask(flower, request_unhook, text);
}

struct dump {
	struct flower *flower;
	struct table *table; /* Being filled, or NULL. */
	struct sluice_backend_counter *counters;
	struct sluice_backend_rule *rules;
	struct sluice_key *lost; /* Ours, but not in the card any more. */
	size_t n_lost, lost_room;
	size_t n, count;
};

static int remember_lost(struct dump *dump, const struct sluice_key *key)
{
	if (dump->n_lost == dump->lost_room) {
		size_t room = dump->lost_room ? 2 * dump->lost_room : 64;
		struct sluice_key *lost = realloc(dump->lost, room * sizeof(*lost));

		if (!lost)
			return -ENOMEM;
		dump->lost = lost;
		dump->lost_room = room;
	}
	dump->lost[dump->n_lost++] = *key;
	return 0;
}

/*
 * A counter that moved a moment ago is of that moment: what its source sent since may not be in it.
 * Without this a source would look quiet in each window between two answers of its card.
 */
static uint64_t age_of(const struct flower *flower, const struct reply *reply)
{
	return flower->place.hardware && reply->idle_ns < REFRESH_NS ? reply->idle_ns : 0;
}

static int note_rule(void *context, const struct reply *reply)
{
	struct dump *dump = context;
	int rc = 0;

	if (reply->kind == REPLY_AWAY)
		return 0;
	if (reply->kind == REPLY_RULE && reply->own_hook)
		dump->flower->place.own_hook = true;
	if (dump->table && reply->kind == REPLY_FOREIGN)
		rc = table_reserve(dump->table, reply->handle);
	else if (dump->table)
		rc = table_put(dump->table, &reply->key, reply->handle);
	/* Handles beyond ours, or used twice at two priorities, get into nobody's way. */
	if (rc == -ENOMEM)
		return rc;
	if (reply->kind == REPLY_FOREIGN || rc)
		return 0;
	if (dump->table && dump->flower->place.hardware && !reply->in_hw)
		return remember_lost(dump, &reply->key);
	if (dump->count == dump->n)
		return 0;
	if (dump->rules)
		dump->rules[dump->count].key = reply->key;
	if (dump->counters)
		dump->counters[dump->count] = (struct sluice_backend_counter){
			.key = reply->key,
			.packets = reply->packets,
			.bytes = reply->bytes,
			.age_ns = age_of(dump->flower, reply),
		};
	dump->count++;
	return 0;
}

/* Whether a source has no rule after this. */
static bool is_without(bool add, int result)
{
	return add ? result != 0 : result == 0 || result == -ENOENT;
}

/* Does a change of up to SOCKET_BATCH rules; `results` of those that are not asked for stay. */
static int change_batch(struct flower *flower, bool add, const struct sluice_backend_rule *rules,
			size_t n, int *results, char text[128])
{
	bool asked[SOCKET_BATCH] = { false };
	int rc;

	for (size_t i = 0; i < n; i++) {
		const struct sluice_key *key = &rules[i].key;
		uint32_t handle = table_find(flower->table, key), seq = socket_seq(flower->sock);
		struct nl_msg *msg = NULL;
		uint16_t priority;

		results[i] = add ? request_priority(&flower->place, key, &priority) : 0;
		if (results[i] == 0)
			results[i] = add ? table_add(flower->table, key, &handle)
					 : (handle ? 0 : -ENOENT);
		if (results[i])
			continue;
		results[i] =
			(add ? request_add : request_del)(&flower->place, key, handle, seq, &msg);
		asked[i] = results[i] == 0;
		if (asked[i])
			socket_queue(flower->sock, msg, &results[i]);
		else if (add)
			table_del(flower->table, key);
	}
	rc = socket_send(flower->sock, &flower->place, text);
	for (size_t i = 0; i < n && rc == 0; i++) {
		if (asked[i] && is_without(add, results[i]))
			table_del(flower->table, &rules[i].key);
		if (results[i] == -ENODEV)
			rc = -ENODEV;
	}
	return rc;
}

static int change(struct flower *flower, bool add, const struct sluice_backend_rule *rules,
		  size_t n, int *results, struct sluice_err *err)
{
	char text[128] = "", first[128] = "";
	int rc = 0;

	for (size_t at = 0; at < n && rc == 0; at += SOCKET_BATCH) {
		size_t size = n - at < SOCKET_BATCH ? n - at : SOCKET_BATCH;

		rc = change_batch(flower, add, rules + at, size, results + at, text);
		if (text[0] && !first[0])
			memcpy(first, text, sizeof(first));
	}
	if (rc)
		explain(err, "interface '%s': the kernel did not answer for its filters: %s%s%s",
			flower->ifname, strerror(-rc), first[0] ? ": " : "", first);
	else if (first[0]) {
		explain(err, "interface '%s': a rule was refused: %s", flower->ifname, first);
		flower->host->log(flower->instance, SLUICE_LOG_WARNING,
				  "interface '%s': the kernel or the card refused a rule: %s",
				  flower->ifname, first);
	}
	return rc;
}

static int flower_add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		      struct sluice_err *err)
{
	return change(self, true, rules, n, results, err);
}

static int flower_del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		      struct sluice_err *err)
{
	return change(self, false, rules, n, results, err);
}

/* Dumps until one is whole. */
static int dump_all(struct dump *dump, struct sluice_err *err)
{
	struct flower *flower = dump->flower;
	int rc = -EINTR;

	for (int i = 0; i < DUMP_TRIES && rc == -EINTR; i++) {
		dump->count = dump->n_lost = 0;
		if (dump->rules || !dump->counters) {
			table_free(dump->table);
			rc = table_new(flower->capacity, &dump->table);
			if (rc)
				return rc;
		}
		rc = socket_dump(flower->sock, &flower->place, request_dump, note_rule, dump);
	}
	if (rc)
		explain(err, "interface '%s': cannot read its filters: %s", flower->ifname,
			strerror(-rc));
	return rc;
}

/* The kernel answers a dump of an interface that was deleted with nothing, and with no error. */
static int check_interface(const struct flower *flower, struct sluice_err *err)
{
	char name[IFNAMSIZ];

	if (if_indextoname((unsigned int)flower->place.ifindex, name))
		return 0;
	explain(err, "interface '%s': it was deleted", flower->ifname);
	return -ENODEV;
}

static int flower_read(void *self, struct sluice_backend_counter *counters, size_t n, size_t *count,
		       struct sluice_err *err)
{
	struct dump dump = { .flower = self, .counters = counters, .n = n };
	int rc = check_interface(self, err);

	rc = rc ? rc : dump_all(&dump, err);
	*count = rc ? 0 : dump.count;
	return rc;
}

/* Removes rules of ours that a card lost, so that they can be added again. */
static int remove_lost(struct flower *flower, const struct dump *dump, struct sluice_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < dump->n_lost && rc == 0; i++) {
		struct sluice_backend_rule rule = { .key = dump->lost[i] };
		int result;

		rc = change(flower, false, &rule, 1, &result, err);
	}
	return rc;
}

/* The host asks for it after any doubt: so the interface and its hook are looked for again, too. */
static int flower_list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		       struct sluice_err *err)
{
	struct flower *flower = self;
	struct dump dump = { .flower = flower, .rules = rules, .n = n };
	int rc = attach(flower, err);

	*count = 0;
	rc = rc ? rc : dump_all(&dump, err);
	if (rc == 0) {
		table_free(flower->table);
		flower->table = dump.table;
		rc = remove_lost(flower, &dump, err);
	} else {
		table_free(dump.table);
	}
	if (rc == 0)
		*count = dump.count;
	free(dump.lost);
	return rc;
}

static int flower_flush(void *self, struct sluice_err *err)
{
	struct sluice_backend_rule *rules = calloc(TABLE_MAX, sizeof(*rules));
	int *results = calloc(TABLE_MAX, sizeof(*results));
	size_t n = 0;
	int rc = rules && results ? flower_list(self, rules, TABLE_MAX, &n, err) : -ENOMEM;

	rc = rc ? rc : change(self, false, rules, n, results, err);
	for (size_t i = 0; i < n && rc == 0; i++)
		if (results[i] && results[i] != -ENOENT) {
			rc = results[i];
			explain(err, "interface '%s': cannot delete every rule: %s",
				((struct flower *)self)->ifname, strerror(-rc));
		}
	free(results);
	free(rules);
	return rc;
}

static void flower_close(void *self)
{
	struct flower *flower = self;

	if (!flower)
		return;
	if (flower->sock)
		detach(flower);
	socket_close(flower->sock);
	table_free(flower->table);
	free(flower);
}

static int flower_open(struct sluice_instance *instance, const struct sluice_host *host,
		       const struct sluice_config *config, const char *ifname,
		       struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	struct flower *flower = calloc(1, sizeof(*flower));
	size_t n;
	int rc;

	if (!flower) {
		explain(err, "out of memory");
		return -ENOMEM;
	}
	flower->instance = instance;
	flower->host = host;
	snprintf(flower->ifname, sizeof(flower->ifname), "%s", ifname);
	rc = read_options(flower, config, err);
	if (rc)
		goto out;
	rc = socket_open(&flower->sock);
	if (rc) {
		explain(err, "cannot open an rtnetlink socket: %s", strerror(-rc));
		goto out;
	}
	rc = flower_list(flower, NULL, 0, &n, err);
out:
	if (rc) {
		flower_close(flower);
		return rc;
	}
	caps->capacity = flower->capacity;
	caps->matches = SLUICE_BACKEND_MATCH_IPV4 | SLUICE_BACKEND_MATCH_IPV6 |
			SLUICE_BACKEND_MATCH_IPV6_PREFIX;
	caps->counters = true;
	caps->emulated = !flower->place.hardware;
	*self = flower;
	return 0;
}

static const struct sluice_backend_ops flower_ops = {
	.size = sizeof(flower_ops),
	.open = flower_open,
	.close = flower_close,
	.add = flower_add,
	.del = flower_del,
	.read = flower_read,
	.list = flower_list,
	.flush = flower_flush,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0, /* As the manifest has it: nothing younger is used. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_BACKEND,
	.name = "flower",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &flower_ops,
};
