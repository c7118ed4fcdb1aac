/* SPDX-License-Identifier: BSD-2-Clause */
/* See card_state.h. */
#include "card_state.h"

#include <errno.h>

#include <linux/bpf.h>

#include "words.h"

/*
 * The kernel gives the memory of an earlier map back some time after the last one has let it go, and
 * tells nobody when: so a card without any is not believed for half a second.
 */
#define PAUSES 50u

static bool is_memory(int rc)
{
	return rc == -ENOMEM || rc == -E2BIG;
}

int card_start(struct card *card, struct sluice_err *err)
{
	const struct kernel_calls *calls = card->calls;
	int rc = calls->attach(card->self, card->ifindex, card->program_fd);

	if (rc) {
		words_explain(WORDS_STEP_ATTACH, rc, card->ifname, "", err);
		return rc == -EEXIST ? -EBUSY : rc;
	}
	rc = calls->attached(card->self, card->ifindex, &card->program_id);
	if (rc)
		words_explain(WORDS_STEP_QUERY, rc, card->ifname, "", err);
	return rc;
}

static bool is_our_map(const struct kernel_map *map)
{
	return map->type == BPF_MAP_TYPE_HASH && map->key_size == sizeof(struct nic_drop_key) &&
	       map->value_size == sizeof(struct nic_drop_hits) && map->flags == 0 &&
	       map->ifindex != 0 && map->max_entries > 0 && map->max_entries <= CARD_CAPACITY_MOST;
}

static bool is_wanted(const struct card *card, const struct key_variant *variant)
{
	return variant->v6_prefix_len == card->options.wanted.v6_prefix_len &&
	       (!card->settled || variant->counts == card->variant.counts);
}

/* A descriptor, or -ENOENT: what is there is of no use. */
static int open_its_map(const struct card *card, const struct kernel_program *program,
			struct kernel_map *map)
{
	int fd = program->n_maps == 1 ? card->calls->open_map(card->self, program->map_id, map)
				      : -ENOENT;

	if (fd < 0 || is_our_map(map))
		return fd;
	card->calls->close(card->self, fd);
	return -ENOENT;
}

/* 1: taken over; 0: of no use. */
static int adopt_program(struct card *card, const struct kernel_program *program,
			 struct sluice_err *err)
{
	struct key_variant variant;
	struct kernel_map map;
	int fd;

	if (!key_variant_of(program->name, &variant)) {
		words_explain(WORDS_STEP_ATTACH, -EBUSY, card->ifname, program->name, err);
		return -EBUSY;
	}
	fd = is_wanted(card, &variant) ? open_its_map(card, program, &map) : -ENOENT;
	if (fd < 0 && fd != -ENOENT)
		words_explain(WORDS_STEP_QUERY, fd, card->ifname, "", err);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	card->map_fd = fd;
	card->capacity = map.max_entries;
	card->variant = variant;
	return 1;
}

int card_adopt(struct card *card, uint32_t id, struct sluice_err *err)
{
	struct kernel_program program;
	int fd = card->calls->open_program(card->self, id, &program), rc;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0) {
		words_explain(WORDS_STEP_QUERY, fd, card->ifname, "", err);
		return fd;
	}
	program.name[KEY_NAME_SIZE - 1] = '\0';
	rc = adopt_program(card, &program, err);
	if (rc == 1) {
		card->program_fd = fd;
		card->program_id = id;
		return 1;
	}
	if (rc == 0) {
		rc = card->calls->detach(card->self, card->ifindex, fd);
		if (rc)
			words_explain(WORDS_STEP_DETACH, rc, card->ifname, "", err);
	}
	card->calls->close(card->self, fd);
	return rc;
}

/* Sixteen steps from one power of two down to the next: of what there is, little is left unused. */
static uint32_t next_size(uint32_t size)
{
	uint32_t power = 1, step;

	while (power < size / 2 + size % 2)
		power *= 2;
	step = power < 16 ? 1 : power / 16;
	return size - power > step ? size - step : power;
}

/*
 * Whether the card takes types of entries, which are only good to look at; none does today.  Asked
 * once, by a map of one entry, since they cost more than the map.
 */
static bool takes_types(const struct card *card)
{
	int fd = card->calls->new_map(card->self, card->ifindex, 1, true);

	if (fd >= 0)
		card->calls->close(card->self, fd);
	return fd >= 0;
}

/* The largest map that the card has memory for, of at most `*size` entries and more than `least`. */
static int new_map_within(const struct card *card, uint32_t *size, uint32_t least, bool typed)
{
	int fd = -ENOMEM;

	for (; is_memory(fd) && *size > least; *size = next_size(*size)) {
		fd = card->calls->new_map(card->self, card->ifindex, *size, typed);
		if (!is_memory(fd) || *size == 1)
			break;
	}
	return fd;
}

/* As large as the card lets it be. */
static int make_map(struct card *card)
{
	uint32_t wanted = card->options.capacity ? card->options.capacity : CARD_CAPACITY_DEFAULT;
	uint32_t size = wanted, larger = wanted;
	bool typed = takes_types(card);
	int fd = new_map_within(card, &size, 0, typed), other;

	for (unsigned int i = 0; is_memory(fd) && i < PAUSES; i++) {
		card->calls->pause(card->self);
		size = wanted;
		fd = new_map_within(card, &size, 0, typed);
	}
	/* Memory that came back on the way down leaves room for a larger one, beside the small one. */
	while (fd >= 0 && size < wanted &&
	       (other = new_map_within(card, &larger, size, typed)) >= 0) {
		card->calls->close(card->self, fd);
		fd = other;
		size = larger;
		larger = wanted;
	}
	card->capacity = size;
	card->map_fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

/* Loads and starts one of the programs. */
static int make_program(struct card *card, bool counts, struct sluice_err *err)
{
	char why[KERNEL_WHY_SIZE] = "";
	int rc;

	card->variant = card->options.wanted;
	card->variant.counts = counts;
	card->program_fd = card->calls->new_program(card->self, card->ifindex, &card->variant,
						    card->map_fd, why);
	if (card->program_fd < 0) {
		rc = card->program_fd;
		card->program_fd = -1;
		words_explain(WORDS_STEP_PROGRAM, rc, card->ifname, why, err);
		return rc;
	}
	rc = card_start(card, err);
	if (rc) {
		card->calls->close(card->self, card->program_fd);
		card->program_fd = -1;
	}
	return rc;
}

/* What a simpler program would not change. */
static bool is_final(int rc)
{
	return rc == 0 || rc == -ENODEV || rc == -EPERM || rc == -EBUSY;
}

int card_make(struct card *card, struct sluice_err *err)
{
	bool counts = card->settled ? card->variant.counts : card->options.wanted.counts;
	int rc = make_map(card);

	if (rc) {
		words_explain(WORDS_STEP_MAP, rc, card->ifname, "", err);
		return rc;
	}
	rc = make_program(card, counts, err);
	if (counts && !card->settled && !is_final(rc))
		rc = make_program(card, false, err);
	if (rc) {
		card->variant.counts = counts;
		card->calls->close(card->self, card->map_fd);
		card->map_fd = -1;
	}
	return rc;
}
