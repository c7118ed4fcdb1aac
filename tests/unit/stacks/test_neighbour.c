/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "neighbour.h"
#include "support/random.h"

static struct neighbour_table table;

static struct neighbour_address ipv4(unsigned int a, unsigned int b, unsigned int c, unsigned int d)
{
	struct neighbour_address address = { { (uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d } };

	return address;
}

static void open_table(unsigned int prefix)
{
	struct neighbour_address own = ipv4(10, 0, 0, 2);

	neighbour_init(&table, &own, prefix, 42);
}

Test(neighbour, replies_go_where_packets_came_from)
{
	struct neighbour_address near = ipv4(10, 0, 0, 9), far = ipv4(192, 0, 2, 1);
	const uint8_t near_mac[] = { 2, 0, 0, 0, 0, 9 }, gateway_mac[] = { 2, 0, 0, 0, 0, 1 };

	open_table(24);
	cr_assert_null(neighbour_find(&table, &near));
	cr_assert_null(neighbour_find(&table, &far));
	neighbour_learn(&table, &near, near_mac);
	neighbour_learn(&table, &far, gateway_mac);
	cr_assert_arr_eq(neighbour_find(&table, &near), near_mac, 6);
	cr_assert_arr_eq(neighbour_find(&table, &far), gateway_mac, 6);
	/* Another host out there is behind the same gateway. */
	far = ipv4(198, 51, 100, 7);
	cr_assert_arr_eq(neighbour_find(&table, &far), gateway_mac, 6);
}

Test(neighbour, a_flood_from_outside_pushes_nobody_out)
{
	struct neighbour_address near = ipv4(10, 0, 0, 9);
	const uint8_t near_mac[] = { 2, 0, 0, 0, 0, 9 }, gateway_mac[] = { 2, 0, 0, 0, 0, 1 };
	struct random random = { 7 };

	open_table(24);
	neighbour_learn(&table, &near, near_mac);
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t bits = random_next(&random);
		struct neighbour_address far =
			ipv4(11 + bits % 200, bits >> 8 & 255, bits >> 16 & 255, bits >> 24 & 255);

		neighbour_learn(&table, &far, gateway_mac);
	}
	cr_assert_arr_eq(neighbour_find(&table, &near), near_mac, 6);
}

Test(neighbour, two_hosts_of_one_entry_are_never_mixed_up)
{
	uint8_t mac[6] = { 2 };

	open_table(8);
	for (unsigned int i = 0; i < 4 * NEIGHBOUR_ENTRIES; i++) {
		struct neighbour_address host = ipv4(10, 1, i >> 8, i & 255);

		mac[4] = (uint8_t)(i >> 8);
		mac[5] = (uint8_t)i;
		neighbour_learn(&table, &host, mac);
	}
	for (unsigned int i = 0; i < 4 * NEIGHBOUR_ENTRIES; i++) {
		struct neighbour_address host = ipv4(10, 1, i >> 8, i & 255);
		const uint8_t *found = neighbour_find(&table, &host);

		if (found)
			cr_assert_eq((unsigned int)found[4] << 8 | found[5], i);
	}
}

Test(neighbour, prefixes_of_any_length)
{
	struct neighbour_address same = ipv4(10, 0, 0, 3), other = ipv4(10, 0, 0, 4);
	const uint8_t first[] = { 1, 0, 0, 0, 0, 1 }, second[] = { 1, 0, 0, 0, 0, 2 };

	open_table(31); /* 10.0.0.2 and .3 */
	neighbour_learn(&table, &same, first);
	neighbour_learn(&table, &other, second);
	cr_assert_arr_eq(neighbour_find(&table, &same), first, 6);
	cr_assert_arr_eq(table.gateway.mac, second, 6);
	open_table(0); /* All are local. */
	neighbour_learn(&table, &other, second);
	cr_assert_not(table.gateway.known);
	cr_assert_arr_eq(neighbour_find(&table, &other), second, 6);
}
