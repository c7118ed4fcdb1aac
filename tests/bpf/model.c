// SPDX-License-Identifier: BSD-2-Clause
/* See model.h. */
#include "model.h"

#include <string.h>

#include "base/address.h"

static uint32_t big16(const uint8_t *at)
{
	return (uint32_t)(at[0] << 8 | at[1]);
}

static bool is_tag(uint32_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8;
}

/* Where the network header begins, and its ethertype: a third tag's, or 0 if it cannot be told. */
static uint32_t ethertype_of(const uint8_t *frame, uint32_t size, uint32_t *network)
{
	uint32_t ethertype = big16(frame + 12);

	*network = 14;
	for (int tags = 0; tags < 2 && is_tag(ethertype); tags++) {
		if (*network + 4 > size)
			return 0;
		ethertype = big16(frame + *network + 2);
		*network += 4;
	}
	return ethertype;
}

static bool malformed_v4(const uint8_t *ip, uint32_t room)
{
	uint32_t header = (ip[0] & 15u) * 4, total = big16(ip + 2);

	return ip[0] >> 4 != 4 || header < 20 || total < header || total > room;
}

/* ::1, ::ffff:192.0.2.1, ::192.0.2.1 and the like; `::` is not among them. */
static bool impossible_v6(const uint8_t *source)
{
	static const uint8_t zero[16];

	return memcmp(source, zero, 8) == 0 && memcmp(source, zero, 16) != 0;
}

static bool malformed_v6(const uint8_t *ip, uint32_t room)
{
	return ip[0] >> 4 != 6 || 40 + big16(ip + 4) > room;
}

/* The index of the longest prefix that covers `key`, or -1. */
static int longest(const struct model_list *list, const struct sluice_key *key)
{
	int best = -1;

	for (size_t i = 0; i < list->n; i++)
		if (address_covers(&list->keys[i], key) &&
		    (best < 0 || list->keys[i].prefix_len > list->keys[best].prefix_len))
			best = (int)i;
	return best;
}

static bool is_exempt(const struct model *model, const struct sluice_key *source)
{
	int allowed = longest(&model->allowed, source);

	return allowed >= 0 && model->allowed.exempt[allowed];
}

/* Of those that are not exempt. */
static enum dataplane_reason judge_source(const struct model *model,
					  const struct sluice_key *source, bool malformed)
{
	if (malformed && !model->pass_malformed)
		return DATAPLANE_REASON_MALFORMED;
	if (longest(&model->blocked, source) >= 0)
		return DATAPLANE_REASON_BLOCKED;
	if (longest(&model->own, source) >= 0)
		return DATAPLANE_REASON_SPOOFED_OWN;
	if (longest(&model->prefixes, source) >= 0 && longest(&model->allowed, source) < 0)
		return DATAPLANE_REASON_BLOCKED_PREFIX;
	return DATAPLANE_REASON_PASS;
}

static enum dataplane_reason judge_v4(const struct model *model, const uint8_t *ip, uint32_t room)
{
	struct sluice_key source = address_from_ipv4(ip + 12, 32);

	if (is_exempt(model, &source))
		return DATAPLANE_REASON_EXEMPT;
	return judge_source(model, &source, malformed_v4(ip, room));
}

static enum dataplane_reason judge_v6(const struct model *model, const uint8_t *ip, uint32_t room)
{
	struct sluice_key source = address_from_ipv6(ip + 8, 128);

	if (is_exempt(model, &source))
		return DATAPLANE_REASON_EXEMPT;
	if (impossible_v6(ip + 8))
		return DATAPLANE_REASON_MALFORMED;
	return judge_source(model, &source, malformed_v6(ip, room));
}

struct model_verdict model_judge(const struct model *model, const uint8_t *frame, uint32_t size)
{
	struct model_verdict verdict = { DATAPLANE_REASON_NOT_IP, false };
	uint32_t network, ethertype = ethertype_of(frame, size, &network);
	enum dataplane_reason let_through = DATAPLANE_REASON_NOT_IP;
	bool v6 = ethertype == 0x86dd;

	if (ethertype != 0x0800 && !v6 && !is_tag(ethertype))
		return verdict;
	if (is_tag(ethertype) || network + (v6 ? 40 : 20) > size) {
		if (!model->pass_malformed)
			verdict.reason = DATAPLANE_REASON_MALFORMED;
	} else {
		verdict.reason = (v6 ? judge_v6 : judge_v4)(model, frame + network, size - network);
		let_through = DATAPLANE_REASON_PASS;
	}
	if (model->observe && dataplane_reason_is_drop(verdict.reason)) {
		verdict.reason = let_through;
		verdict.would_drop = true;
	}
	return verdict;
}
