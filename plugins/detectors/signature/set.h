/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures of known attacks: what their packets look like, from how many a second on that is an
 * attack, and what the filter is then to do.
 */
#ifndef SIGNATURE_SET_H
#define SIGNATURE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>
#include <sluice/rule.h>

#define SIGNATURE_MAX 256
#define SIGNATURE_NAME_SIZE 24
#define SIGNATURE_FILE_MAX (1u << 20) /* Bytes. */

struct signature {
	char name[SIGNATURE_NAME_SIZE]; /* [a-z0-9_]; it is the reason that operators read. */
	struct sluice_rule_match match;
	uint32_t action; /* enum sluice_rule_action */
	bool is_per_source;
	uint64_t rate; /* Of a limit, packets per second. */
	/*
	 * Packets per second from which this is an attack; 0: the detector's `pps`.  No packet like
	 * this is legitimate where it is low, and some are in peace where it is high.
	 */
	uint64_t pps;
};

struct signature_set {
	struct signature *list; /* SIGNATURE_MAX places. */
	size_t n;
};

int signature_set_init(struct signature_set *set) __attribute__((warn_unused_result));
void signature_set_fini(struct signature_set *set);

/*
 * Adds one; -EEXIST if the name is taken, -ENOSPC if the set is full.  `err` says so, `where` before it.
 */
int signature_set_add(struct signature_set *set, const struct signature *signature,
		      const char *where, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * Adds the signatures of a YAML text; `file` is its name for messages, which begin with
 * "file:line:column: ".  -EINVAL: nothing of it is to be used.
 */
int signature_set_parse(struct signature_set *set, const char *text, size_t size, const char *file,
			struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Adds what a fingerprint of the DDoS Clearing House (the JSON of its "dissector") says of an attack:
 * one signature per attack vector that can be told from other traffic by its packets.  Vectors that
 * cannot be (no port, no flags, no length) are left out; how many, is told.
 */
int signature_set_import(struct signature_set *set, const char *text, size_t size, const char *file,
			 size_t *left_out, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Adds a file of either form, told apart by its name: *.json is a fingerprint. */
int signature_set_read(struct signature_set *set, const char *path, size_t *left_out,
		       struct sluice_err *err) __attribute__((warn_unused_result));

/* The place of a signature by its name of at most `size` bytes, NUL or not at the end; -1: none. */
int signature_set_find(const struct signature_set *set, const char *name, size_t size);

/* Takes one out by its name; false if there is none. */
bool signature_set_drop(struct signature_set *set, const char *name);

#endif /* SIGNATURE_SET_H */
