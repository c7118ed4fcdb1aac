/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which end of a flow is the server, each rule by a case that the rules after it would get wrong.
 */
#include <criterion/criterion.h>

#include "frames.h"
#include "replay/flow.h"
#include "replay/packet.h"

#define A "192.0.2.1"
#define B "198.51.100.2"
#define MAX_SEEN 8

struct seen {
	uint8_t protocol;
	bool reversed; /* From B to A. */
	uint16_t a_port, b_port;
	uint8_t tcp_flags;
};

static void build(struct frame *frame, struct packet_view *view, const struct seen *seen)
{
	frame_build(frame, &(struct frame_spec){
				   .source = seen->reversed ? B : A,
				   .destination = seen->reversed ? A : B,
				   .protocol = seen->protocol,
				   .source_port = seen->reversed ? seen->b_port : seen->a_port,
				   .destination_port = seen->reversed ? seen->a_port : seen->b_port,
				   .tcp_flags = seen->tcp_flags,
				   .payload_size = 8 });
	packet_parse(frame->data, frame->size, view);
}

/* What the first of the packets is, after all were seen. */
static enum flow_direction first_of(const struct seen *seen, size_t n)
{
	enum flow_direction direction;
	struct flow_table *table;
	struct packet_view view;
	struct frame frame;

	cr_assert_eq(flow_table_new(1, &table), 0);
	for (size_t i = 0; i < n; i++) {
		build(&frame, &view, &seen[i]);
		cr_assert_eq(flow_table_see(table, frame.data, &view), 0);
	}
	build(&frame, &view, &seen[0]);
	direction = flow_table_find(table, frame.data, &view);
	flow_table_free(table);
	return direction;
}

Test(flow, rules)
{
	static const struct {
		const char *what;
		struct seen seen[MAX_SEEN];
		size_t n;
		enum flow_direction direction;
	} cases[] = {
		{ "a SYN, against well-known ports and order",
		  { { 6, true, 80, 9000, FRAME_ACK },
		    { 6, true, 80, 9000, 0 },
		    { 6, false, 80, 9000, FRAME_SYN } },
		  3,
		  FLOW_TO_CLIENT },
		{ "a SYN-ACK, against well-known ports",
		  { { 6, false, 80, 9000, FRAME_ACK }, { 6, true, 80, 9000, FRAME_SYN_ACK } },
		  2,
		  FLOW_TO_SERVER },
		{ "a well-known port, against order",
		  { { 17, true, 40000, 53, 0 } },
		  1,
		  FLOW_TO_CLIENT },
		{ "the port that more flows share, against order",
		  { { 6, true, 50001, 48333, FRAME_ACK },
		    { 6, true, 50002, 48333, FRAME_ACK },
		    { 6, true, 50003, 48333, FRAME_ACK } },
		  3,
		  FLOW_TO_CLIENT },
		{ "the port below the ephemeral ones, against order",
		  { { 17, true, 50000, 8333, 0 } },
		  1,
		  FLOW_TO_CLIENT },
		{ "order", { { 17, true, 50000, 50001, 0 } }, 1, FLOW_TO_SERVER },
		{ "order, from the reply", { { 17, false, 50000, 50001, 0 } }, 1, FLOW_TO_SERVER },
		{ "no ports: order", { { 47, true, 0, 0, 0 } }, 1, FLOW_TO_SERVER },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(first_of(cases[i].seen, cases[i].n), cases[i].direction, "%s",
			     cases[i].what);
}

Test(flow, echo_requests_open)
{
	struct flow_table *table;
	struct packet_view view;
	struct frame frame;

	cr_assert_eq(flow_table_new(1, &table), 0);
	build(&frame, &view, &(struct seen){ 1, true, 0, 0, 0 });
	frame.data[frame_transport(frame.data)] = 0; /* The answer is seen first. */
	packet_parse(frame.data, frame.size, &view);
	cr_assert_eq(flow_table_see(table, frame.data, &view), 0);
	build(&frame, &view, &(struct seen){ 1, false, 0, 0, 0 });
	cr_assert_eq(flow_table_see(table, frame.data, &view), 0);
	cr_expect_eq(flow_table_find(table, frame.data, &view), FLOW_TO_SERVER);
	flow_table_free(table);
}

/* A later fragment has no ports and follows the packet that the first one began. */
Test(flow, later_fragments_follow_the_first)
{
	struct flow_table *table;
	struct packet_view view;
	struct frame frame;

	cr_assert_eq(flow_table_new(1, &table), 0);
	build(&frame, &view, &(struct seen){ 17, false, 53, 40000, 0 });
	frame.data[frame_network(frame.data) + 6] = 0x20;
	packet_parse(frame.data, frame.size, &view);
	cr_assert_eq(flow_table_see(table, frame.data, &view), 0);
	frame.data[frame_network(frame.data) + 7] = 4;
	packet_parse(frame.data, frame.size, &view);
	cr_assert_eq(flow_table_see(table, frame.data, &view), 0);
	cr_expect_eq(flow_table_find(table, frame.data, &view), FLOW_TO_CLIENT,
		     "a name server's long answer, whose sender is no client");
	flow_table_free(table);
}

Test(flow, unknown)
{
	struct packet_view view;
	struct flow_table *table;
	struct frame frame;

	cr_assert_eq(flow_table_new(1, &table), 0);
	build(&frame, &view, &(struct seen){ 17, false, 1, 2, 0 });
	cr_expect_eq(flow_table_find(table, frame.data, &view), FLOW_UNKNOWN);
	packet_parse(frame.data, 20, &view);
	cr_expect_eq(flow_table_see(table, frame.data, &view), 0);
	cr_expect_eq(flow_table_find(table, frame.data, &view), FLOW_UNKNOWN);
	flow_table_free(table);
}
