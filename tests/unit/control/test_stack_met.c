/* SPDX-License-Identifier: BSD-2-Clause */
/* What a stack may have known on its word: of sound addresses, and not many a second. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/address.h"
#include "engine/told_clients.h"
#include "sluiced/stack_met.h"
#include "xsk/handover.h"

#define SECOND_NS 1000000000ull

static struct told_clients *told;
static struct stack_met met;
static struct told_client fetched[TOLD_CLIENTS_MAX];

static void open_told(void)
{
	cr_assert_eq(told_clients_new(&told), 0);
	met = (struct stack_met){ .told = told };
}

static void close_told(void)
{
	told_clients_free(told);
}

TestSuite(stack_met, .init = open_told, .fini = close_told);

/* Hosts from 10.0.0.0 + `first` on. */
static struct handover_request make_request(uint32_t queue, uint32_t first, uint32_t n)
{
	struct handover_request request = handover_request_make(HANDOVER_MET, "none0", queue);

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t addr[4] = { 10, (uint8_t)((first + i) >> 16),
					  (uint8_t)((first + i) >> 8), (uint8_t)(first + i) };
		const struct sluice_key key = address_from_ipv4(addr, 32);

		cr_assert_eq(handover_host_make(&key, SLUICE_IO_MET_CONNECTED, &request.hosts[i]),
			     0);
	}
	return request;
}

/* Twice as many as a second has room for: how many were kept. */
static uint32_t name_many(uint32_t interface, uint32_t queue, uint64_t now_ns)
{
	uint64_t left_out = 0;

	for (uint32_t n = 0; n < 2 * STACK_MET_PER_S; n += HANDOVER_HOSTS) {
		const struct handover_request request = make_request(queue, n, HANDOVER_HOSTS);

		cr_assert_eq(stack_met_take(&met, interface, &request, now_ns, &left_out),
			     HANDOVER_HOSTS);
	}
	return 2 * STACK_MET_PER_S - (uint32_t)left_out;
}

Test(stack_met, hosts_come_through)
{
	struct handover_request request = make_request(3, 1, 2);
	uint64_t left_out = 0;

	request.hosts[1].how = SLUICE_IO_MET_SPOKEN_TO;
	cr_assert_eq(stack_met_take(&met, 0, &request, 1, &left_out), 2);
	cr_expect_eq(left_out, 0);
	cr_assert_eq(told_clients_take(told, fetched), 2);
	cr_expect_eq(memcmp(fetched[0].key.addr, request.hosts[0].addr, 16), 0);
	cr_expect_not(fetched[0].spoken_first);
	cr_expect(fetched[1].spoken_first);
	cr_expect_eq(told_clients_take(told, fetched), 0, "each once");
}

/* Neither an address nor a request that is not as it should be. */
Test(stack_met, one_that_cannot_be_met_spoils_all)
{
	const struct handover_request good = make_request(0, 1, 3),
				      nobody = handover_request_make(HANDOVER_MET, "none0", 0);
	struct handover_request bad[] = { good, good, good, good, nobody };
	uint64_t left_out = 0;

	bad[0].hosts[2].addr[0] = 127;
	bad[1].hosts[1] = (struct handover_host){ .family = 0 }; /* A gap. */
	bad[2].hosts[3].reserved[0] = 1;
	((uint8_t *)&bad[3])[sizeof(bad[3]) - 1] = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(stack_met_take(&met, 0, &bad[i], 1, &left_out), -EINVAL, "case %zu",
			     i);
	cr_expect_eq(left_out, 0);
	cr_expect_eq(told_clients_take(told, fetched), 0);
}

Test(stack_met, few_a_second_and_each_queue_for_itself)
{
	const uint32_t last = STACK_DOOR_INTERFACES - 1;

	cr_expect_eq(name_many(0, 0, SECOND_NS), STACK_MET_PER_S);
	cr_expect_eq(name_many(0, 0, 2 * SECOND_NS - 1), 0);
	cr_expect_eq(name_many(0, STACK_DOOR_QUEUES - 1, 2 * SECOND_NS - 1), STACK_MET_PER_S);
	cr_expect_eq(name_many(last, 0, 2 * SECOND_NS - 1), STACK_MET_PER_S);
	cr_expect_eq(name_many(last, 0, 2 * SECOND_NS - 1), 0);
	cr_expect_eq(name_many(0, 0, 2 * SECOND_NS), STACK_MET_PER_S);
}

/* Nobody fetches them: they cost no more memory. */
Test(stack_met, a_full_box_takes_no_more)
{
	uint32_t sum = 0;

	for (uint64_t second = 1; second <= 2 * TOLD_CLIENTS_MAX / STACK_MET_PER_S; second++)
		sum += name_many(0, 0, second * SECOND_NS);
	cr_expect_eq(sum, TOLD_CLIENTS_MAX);
	cr_expect_eq(told_clients_take(told, fetched), TOLD_CLIENTS_MAX);
}

Test(stack_met, without_a_set_nobody_is_kept)
{
	met.told = NULL;
	cr_expect_eq(name_many(0, 0, SECOND_NS), 0);
}
