/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sidecars, and the filters that they hold.  See labels.h.
 */
#include "labels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/err.h"
#include "base/nearest.h"
#include "config/errors.h"
#include "config/node.h"

#define SNAP_LENGTH 262144
#define N_FILTERS 3

/* An expression compiled; `set` is false where there is none. */
struct filter {
	bool set;
	struct bpf_program program;
};

struct labels {
	struct filter attack, ignore, background;
	bool spoofed, known_bad;
	size_t unknown;
};

static const char *const known_keys[] = { "attack", "background", "ignore", "spoofed",
					  "known_bad" };
#define N_KNOWN_KEYS (sizeof(known_keys) / sizeof(known_keys[0]))

static void filter_fini(struct filter *filter)
{
	if (filter->set)
		pcap_freecode(&filter->program);
	filter->set = false;
}

/* Frames are Ethernet whatever the file was, see capture.h. */
static int filter_init(struct filter *filter, const char *expression, struct sluice_err *err)
{
	struct bpf_program program;
	pcap_t *dead;
	int rc = 0;

	dead = pcap_open_dead(DLT_EN10MB, SNAP_LENGTH);
	if (!dead)
		return -ENOMEM;
	if (pcap_compile(dead, &program, expression, 1, PCAP_NETMASK_UNKNOWN)) {
		err_set(err, NULL, "libpcap refuses the expression: %s", pcap_geterr(dead));
		rc = -EINVAL;
	} else {
		filter_fini(filter);
		filter->program = program;
		filter->set = true;
	}
	pcap_close(dead);
	return rc;
}

static bool filter_matches(const struct filter *filter, const struct pcap_pkthdr *header,
			   const uint8_t *frame)
{
	return filter->set && pcap_offline_filter(&filter->program, header, frame) != 0;
}

bool labels_has_attack(const struct labels *labels)
{
	return labels->attack.set;
}

enum label_class labels_classify(const struct labels *labels, const uint8_t *frame, uint32_t size,
				 uint32_t wire_size, enum label_class rest)
{
	struct pcap_pkthdr header = { .caplen = size, .len = wire_size };

	if (filter_matches(&labels->attack, &header, frame))
		return LABEL_ATTACK;
	if (filter_matches(&labels->ignore, &header, frame))
		return LABEL_IGNORE;
	if (filter_matches(&labels->background, &header, frame))
		return LABEL_BENIGN;
	return rest;
}

int labels_new(struct labels **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void labels_free(struct labels *labels)
{
	if (!labels)
		return;
	filter_fini(&labels->attack);
	filter_fini(&labels->ignore);
	filter_fini(&labels->background);
	free(labels);
}

int labels_set_attack(struct labels *labels, const char *expression, struct sluice_err *err)
{
	return filter_init(&labels->attack, expression, err);
}

bool labels_spoofed(const struct labels *labels)
{
	return labels->spoofed;
}

bool labels_known_bad(const struct labels *labels)
{
	return labels->known_bad;
}

size_t labels_unknown(const struct labels *labels)
{
	return labels->unknown;
}

static void read_expression(struct filter *filter, const struct config_node *node,
			    struct config_errors *errors)
{
	const char *key = config_node_key(node);
	struct sluice_err err;

	err_init(&err);
	if (config_node_type(node) != CONFIG_NODE_STRING) {
		config_errors_add_at(errors, node, key, "%s, but it must be a libpcap expression",
				     config_node_type_name(node));
		return;
	}
	if (filter_init(filter, config_node_text(node), &err))
		config_errors_add_at(errors, node, key, "%s",
				     err.text[0] ? err.text : "out of memory");
}

/* The core schema of YAML 1.2 takes yes and no for strings; here they are what people write. */
static int read_yes_no(const struct config_node *node, bool *value)
{
	static const char *const yes[] = { "yes", "true", "on" };
	static const char *const no[] = { "no", "false", "off" };
	const char *text = config_node_text(node);

	if (config_node_type(node) != CONFIG_NODE_BOOL &&
	    config_node_type(node) != CONFIG_NODE_STRING)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (!strcasecmp(text, yes[i]) || !strcasecmp(text, no[i])) {
			*value = !strcasecmp(text, yes[i]);
			return 0;
		}
	}
	return -EINVAL;
}

static void read_spoofed(struct labels *labels, const struct config_node *node,
			 struct config_errors *errors)
{
	if (read_yes_no(node, &labels->spoofed))
		config_errors_add_at(errors, node, "spoofed", "must be yes or no");
}

/* A reason is a yes as well. */
static void read_known_bad(struct labels *labels, const struct config_node *node,
			   struct config_errors *errors)
{
	if (!read_yes_no(node, &labels->known_bad))
		return;
	if (config_node_type(node) == CONFIG_NODE_STRING)
		labels->known_bad = true;
	else
		config_errors_add_at(errors, node, "known_bad", "must be yes, no or the reason");
}

static void read_unknown(struct labels *labels, const struct config_node *node,
			 struct config_errors *errors)
{
	const char *key = config_node_key(node);
	const char *nearest = nearest_name(key, known_keys, N_KNOWN_KEYS);

	labels->unknown++;
	if (nearest)
		config_errors_add(errors, config_node_file(node), config_node_key_line(node),
				  config_node_key_column(node), key,
				  "unknown key; did you mean '%s'?", nearest);
}

static void read_member(struct labels *labels, const struct config_node *node,
			struct config_errors *errors)
{
	const char *key = config_node_key(node);

	if (!strcmp(key, "attack"))
		read_expression(&labels->attack, node, errors);
	else if (!strcmp(key, "background"))
		read_expression(&labels->background, node, errors);
	else if (!strcmp(key, "ignore"))
		read_expression(&labels->ignore, node, errors);
	else if (!strcmp(key, "spoofed"))
		read_spoofed(labels, node, errors);
	else if (!strcmp(key, "known_bad"))
		read_known_bad(labels, node, errors);
	else
		read_unknown(labels, node, errors);
}

/* Frees the tree. */
static int read_tree(struct config_node *root, struct config_errors *errors, struct labels **out)
{
	struct labels *labels = NULL;
	const struct config_node *node;
	size_t before = errors->count;
	int rc;

	rc = labels_new(&labels);
	if (rc)
		goto out;
	if (config_node_type(root) != CONFIG_NODE_MAPPING)
		config_errors_add_at(errors, root, NULL,
				     "%s, but labels are a mapping with 'attack: EXPRESSION'",
				     config_node_type_name(root));
	else
		for (node = config_node_first(root); node; node = config_node_next(node))
			read_member(labels, node, errors);
	if (errors->count > before)
		rc = -EINVAL;
out:
	config_node_free(root);
	if (rc)
		labels_free(labels);
	else
		*out = labels;
	return rc;
}

int labels_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		 struct labels **out)
{
	struct config_node *root;
	int rc;

	rc = config_node_parse(file, text, size, errors, &root);
	return rc ? rc : read_tree(root, errors, out);
}

int labels_load(const char *path, struct config_errors *errors, struct labels **out)
{
	struct config_node *root;
	int rc;

	rc = config_node_load(path, errors, &root);
	return rc ? rc : read_tree(root, errors, out);
}

int labels_load_beside(const char *capture_path, struct config_errors *errors, struct labels **out)
{
	char *path;
	int rc;

	*out = NULL;
	if (asprintf(&path, "%s.labels.yaml", capture_path) < 0)
		return -ENOMEM;
	rc = access(path, F_OK) ? -errno : labels_load(path, errors, out);
	if (rc == -ENOENT && errors->count == 0)
		rc = 0;
	else if (rc == 0)
		rc = 1;
	free(path);
	return rc;
}
