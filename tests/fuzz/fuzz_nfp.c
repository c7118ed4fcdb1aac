/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel and a card answer to BPF offload, through the back end `nfp`: the input is the
 * answers, one after the other, to a fixed round of use.  Whatever they are, what is read as a rule
 * must be one that could have been asked for, and every descriptor is given back once.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "answers.h"
#include "card.h"
#include "words.h"

#define FIRST_FD 100
#define RULES 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the back end calls `self`; the answers come first, so that it is both. */
struct kernel {
	struct answers answers;
	int open_fds;
};

static int descriptor(struct kernel *kernel)
{
	int rc = answers_errno(&kernel->answers);

	if (rc)
		return rc;
	kernel->open_fds++;
	return FIRST_FD;
}

static int fuzz_ifindex(void *self, const char *ifname)
{
	int rc = answers_errno(self);

	(void)ifname;
	return rc ? rc : 4;
}

static int fuzz_attached(void *self, int ifindex, uint32_t *id)
{
	uint8_t byte;

	(void)ifindex;
	answers_take(self, &byte, 1);
	*id = byte;
	return answers_errno(self);
}

static int fuzz_open_program(void *self, uint32_t id, struct kernel_program *program)
{
	uint8_t kind;

	(void)id;
	answers_take(self, program, sizeof(*program));
	answers_take(self, &kind, 1);
	if (kind % 4)
		key_program_name(&(struct key_variant){ 64, kind % 2 }, program->name);
	return descriptor(self);
}

static int fuzz_open_map(void *self, uint32_t id, struct kernel_map *map)
{
	uint8_t kind;

	(void)id;
	answers_take(self, map, sizeof(*map));
	answers_take(self, &kind, 1);
	if (kind % 4)
		*map = (struct kernel_map){ BPF_MAP_TYPE_HASH,
					    sizeof(struct nic_drop_key),
					    sizeof(struct nic_drop_hits),
					    kind,
					    0,
					    4 };
	return descriptor(self);
}

static int fuzz_new_map(void *self, int ifindex, uint32_t max_entries, bool typed)
{
	(void)ifindex;
	(void)typed;
	if (max_entries == 0 || max_entries > CARD_CAPACITY_DEFAULT)
		abort();
	return descriptor(self);
}

static int fuzz_new_program(void *self, int ifindex, const struct key_variant *variant, int map_fd,
			    char why[KERNEL_WHY_SIZE])
{
	uint8_t log[64];

	(void)ifindex;
	(void)variant;
	(void)map_fd;
	answers_take(self, log, sizeof(log));
	log[sizeof(log) - 1] = '\0';
	words_last((const char *)log, why, KERNEL_WHY_SIZE);
	return descriptor(self);
}

static int fuzz_attach(void *self, int ifindex, int program_fd)
{
	(void)ifindex;
	(void)program_fd;
	return answers_errno(self);
}

static int fuzz_entry(void *self, int map_fd, const struct nic_drop_key *key)
{
	(void)map_fd;
	(void)key;
	return answers_errno(self);
}

static int fuzz_lookup(void *self, int map_fd, const struct nic_drop_key *key,
		       struct nic_drop_hits *hits)
{
	answers_take(self, hits, sizeof(*hits));
	return fuzz_entry(self, map_fd, key);
}

static int fuzz_next(void *self, int map_fd, const struct nic_drop_key *key,
		     struct nic_drop_key *next)
{
	answers_take(self, next, sizeof(*next));
	return fuzz_entry(self, map_fd, key);
}

static void fuzz_close(void *self, int fd)
{
	if (fd != FIRST_FD || ((struct kernel *)self)->open_fds-- == 0)
		abort();
}

static void fuzz_pause(void *self)
{
	(void)self;
}

static const struct kernel_calls calls = {
	.ifindex = fuzz_ifindex,
	.attached = fuzz_attached,
	.open_program = fuzz_open_program,
	.open_map = fuzz_open_map,
	.new_map = fuzz_new_map,
	.new_program = fuzz_new_program,
	.attach = fuzz_attach,
	.detach = fuzz_attach,
	.update = fuzz_entry,
	.del = fuzz_entry,
	.lookup = fuzz_lookup,
	.next = fuzz_next,
	.close = fuzz_close,
	.pause = fuzz_pause,
};

static void check_key(const struct sluice_key *key)
{
	struct nic_drop_key on_card;

	if (key_to_card(64, key, &on_card))
		abort();
}

/* A failure says why, and success says how much. */
static void check_read(int rc, size_t n, const struct sluice_err *err)
{
	if (n > RULES || (rc < 0 && n != 0))
		abort();
	if (rc < 0 && (!err->text[0] || !memchr(err->text, '\0', sizeof(err->text))))
		abort();
}

static void use(struct card *card)
{
	const struct sluice_key key = { .family = 4, .prefix_len = 32, .addr = { 198, 18, 0, 1 } };
	struct sluice_backend_counter counters[RULES];
	struct sluice_backend_rule rules[RULES];
	struct sluice_err err = { 0 };
	size_t n;
	int rc;

	if (card_add(card, &key) > 0 || card_del(card, &key) > 0)
		abort();
	rc = card_read(card, counters, RULES, &n, &err);
	check_read(rc, n, &err);
	for (size_t i = 0; i < n; i++)
		check_key(&counters[i].key);
	rc = card_list(card, rules, RULES, &n, &err);
	check_read(rc, n, &err);
	for (size_t i = 0; i < n; i++)
		check_key(&rules[i].key);
	if (card_flush(card, &err) > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel kernel = { .answers = { data, size } };
	const struct card_options options = {
		.wanted = { .v6_prefix_len = 64, .counts = true },
		.calls = &calls,
		.self = &kernel,
	};
	struct sluice_err err = { 0 };
	struct card *card;
	int rc = card_open(&options, "eth0", &card, &err);

	if (rc > 0 || (rc < 0 && !err.text[0]))
		abort();
	if (rc == 0) {
		use(card);
		use(card);
		card_close(card);
	}
	if (kernel.open_fds != 0)
		abort();
	return 0;
}
