// SPDX-License-Identifier: BSD-2-Clause
/* See feature_model.h. */
#include "feature_model.h"

#include <criterion/criterion.h>

#include <string.h>

#include <netinet/in.h>

#define MAX_EXTENSIONS 6

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool is_v6(const struct frame *frame)
{
	return frame->data[frame->network] >> 4 == 6;
}

static uint32_t transport6(const struct frame *frame, uint8_t *protocol, bool *fragment)
{
	uint32_t at = frame->network + 40;

	*protocol = frame->data[frame->network + 6];
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		const uint8_t *header = frame->data + at;

		if (*protocol == IPPROTO_FRAGMENT) {
			/* Neither an offset nor more to come: a whole packet. */
			*fragment |= get16(header + 2) & 0xfff9;
			*protocol = header[0];
			if (get16(header + 2) >> 3)
				return 0;
			at += 8;
		} else if (*protocol == IPPROTO_AH) {
			*protocol = header[0];
			at += (header[1] + 2u) * 4;
		} else if (*protocol == IPPROTO_HOPOPTS || *protocol == IPPROTO_ROUTING ||
			   *protocol == IPPROTO_DSTOPTS || *protocol == 135) {
			*protocol = header[0];
			at += (header[1] + 1u) * 8;
		} else {
			break;
		}
	}
	return at;
}

uint32_t feature_model_transport(const struct frame *frame, uint8_t *protocol, bool *fragment)
{
	const uint8_t *ip = frame->data + frame->network;

	*fragment = false;
	if (is_v6(frame))
		return transport6(frame, protocol, fragment);
	*protocol = ip[9];
	*fragment = get16(ip + 6) & 0x3fff;
	return get16(ip + 6) & 0x1fff ? 0 : frame->network + (ip[0] & 15) * 4u;
}

static struct sluice_key key_of(const struct frame *frame, uint32_t offset, uint8_t v6_prefix_len)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	if (!is_v6(frame)) {
		memcpy(key.addr, frame->data + frame->network + 12 + (offset ? 4 : 0), 4);
		return key;
	}
	key.family = SLUICE_FAMILY_IPV6;
	key.prefix_len = v6_prefix_len;
	memcpy(key.addr, frame->data + frame->network + 8 + (offset ? 16 : 0), v6_prefix_len / 8);
	return key;
}

static struct sluice_flow *flow_of(struct feature_model *model, const struct sluice_key *source,
				   const struct sluice_key *destination)
{
	for (uint32_t i = 0; i < model->n_flows; i++)
		if (memcmp(&model->flows[i].source, source, sizeof(*source)) == 0 &&
		    memcmp(&model->flows[i].destination, destination, sizeof(*source)) == 0)
			return &model->flows[i];
	cr_assert_lt(model->n_flows, FEATURE_MODEL_MAX);
	struct sluice_flow *flow = &model->flows[model->n_flows++];

	*flow = (struct sluice_flow){ .source = *source, .destination = *destination };
	return flow;
}

static struct sluice_destination *destination_of(struct feature_model *model,
						 const struct sluice_key *key)
{
	for (uint32_t i = 0; i < model->n_destinations; i++)
		if (memcmp(&model->destinations[i].key, key, sizeof(*key)) == 0)
			return &model->destinations[i];
	cr_assert_lt(model->n_destinations, FEATURE_MODEL_MAX);
	struct sluice_destination *to = &model->destinations[model->n_destinations++];

	*to = (struct sluice_destination){ .key = *key };
	return to;
}

static enum sluice_protocol class_of(uint8_t protocol)
{
	static const uint8_t classes[][2] = {
		{ 6, SLUICE_PROTOCOL_TCP },	{ 17, SLUICE_PROTOCOL_UDP },
		{ 1, SLUICE_PROTOCOL_ICMP },	{ 58, SLUICE_PROTOCOL_ICMP },
		{ 47, SLUICE_PROTOCOL_GRE },	{ 50, SLUICE_PROTOCOL_ESP },
		{ 132, SLUICE_PROTOCOL_SCTP },	{ 4, SLUICE_PROTOCOL_TUNNEL },
		{ 41, SLUICE_PROTOCOL_TUNNEL },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i][0] == protocol)
			return classes[i][1];
	return SLUICE_PROTOCOL_OTHER;
}

void feature_model_add(struct feature_model *model, const struct frame *frame, uint32_t n)
{
	struct sluice_key source = key_of(frame, 0, 64), key = key_of(frame, 1, 128);
	struct sluice_flow *flow = flow_of(model, &source, &key);
	struct sluice_destination *to = destination_of(model, &key);
	bool fragment, is_tcp, is_udp;
	uint8_t protocol, flags = 0;
	uint32_t at = feature_model_transport(frame, &protocol, &fragment);
	uint32_t left = at && at < frame->size ? frame->size - at : 0, bin = frame->size / 64;

	is_tcp = protocol == 6;
	is_udp = protocol == 17;
	model->packets += n;
	model->bytes += (uint64_t)n * frame->size;
	flow->packets += n;
	flow->bytes += (uint64_t)n * frame->size;
	to->packets += n;
	to->bytes += (uint64_t)n * frame->size;
	to->fragments += fragment ? n : 0;
	to->protocol[class_of(protocol)] += n;
	to->length[bin < 31 ? bin : 31] += n;
	if ((is_tcp || is_udp || protocol == 132) && left >= 4) {
		to->source_port[model->port_bins[get16(frame->data + at)]] += n;
		to->destination_port[model->port_bins[get16(frame->data + at + 2)]] += n;
	}
	if (is_tcp && left >= 14) {
		flags = frame->data[at + 13];
		to->tcp_flags[flags & 63] += n;
	}
	flow->udp += is_udp ? n : 0;
	flow->tcp_syn += is_tcp && (flags & 0x12) == 2 ? n : 0;
	flow->icmp += protocol == 1 || protocol == 58 ? n : 0;
}
