/* SPDX-License-Identifier: BSD-2-Clause */
/* What the system's files say of gateways and resolvers, well-formed and not. */
#include <criterion/criterion.h>

#include "base/address.h"
#include "engine/system_addresses.h"

static struct system_addresses list;

static void setup(void)
{
	system_addresses_init(&list);
}

static void teardown(void)
{
	system_addresses_fini(&list);
}

static void expect(size_t i, enum system_address_kind kind, const char *text)
{
	char found[ADDRESS_TEXT_SIZE];

	cr_assert_lt(i, list.n, "no %s", text);
	cr_expect_eq(list.list[i].kind, kind);
	cr_expect_str_eq(address_format(&list.list[i].key, found), text);
}

TestSuite(system_addresses, .init = setup, .fini = teardown);

Test(system_addresses, default_routes_name_gateways)
{
	static const char text[] =
		"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
		"eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
		"eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
		"eth1\t0000000A\t020200C0\t0003\t0\t0\t100\t000000FF\t0\t0\t0\n"
		"eth2\t00000000\t030200C0\t0002\t0\t0\t100\t00000000\t0\t0\t0\n"
		"eth0\t00000000\t010200C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n";

	cr_assert_eq(system_addresses_parse_route(&list, text), 0);
	cr_expect_eq(list.n, 1, "not default, not up, or twice: none of them counts");
	expect(0, SYSTEM_ADDRESS_GATEWAY, "192.0.2.1");
}

#define ZERO "00000000000000000000000000000000"

Test(system_addresses, ipv6_default_routes_name_gateways)
{
	static const char text[] = ZERO
		" 00 " ZERO " 00 fe800000000000000000000000000001 00000064 1 0 00000003 eth0\n" ZERO
		" 00 " ZERO " 00 " ZERO " ffffffff 1 0 00200200 lo\n"
		"20010db8000000000000000000000000 40 " ZERO
		" 00 fe800000000000000000000000000002 00000064 1 0 00000003 eth0\n"
		"nonsense\n";

	cr_assert_eq(system_addresses_parse_ipv6_route(&list, text), 0);
	cr_expect_eq(list.n, 1);
	expect(0, SYSTEM_ADDRESS_GATEWAY, "fe80::1");
}

Test(system_addresses, resolv_conf_names_resolvers)
{
	static const char text[] = "# nameserver 192.0.2.9\nsearch example.org\n"
				   "nameserver 192.0.2.53\n nameserver 2001:db8::53\n"
				   "nameserver fe80::1%eth0\nnameserver\nnameserver example.org\n"
				   "nameserver 192.0.2.53";

	cr_assert_eq(system_addresses_parse_resolv_conf(&list, text), 0);
	cr_assert_geq(list.n, 2);
	expect(0, SYSTEM_ADDRESS_RESOLVER, "192.0.2.53");
	expect(list.n - 1, SYSTEM_ADDRESS_RESOLVER, "fe80::1");
	cr_expect_leq(list.n, 3);
}

Test(system_addresses, odd_text_holds_no_address)
{
	static const char *const texts[] = {
		"", "\n\n\n", "\t", "nameserver ::::\n", "eth0 zz 1 2 3", "eth0 00000000"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_eq(system_addresses_parse_route(&list, texts[i]), 0);
		cr_expect_eq(system_addresses_parse_ipv6_route(&list, texts[i]), 0);
		cr_expect_eq(system_addresses_parse_resolv_conf(&list, texts[i]), 0);
	}
	cr_expect_eq(list.n, 0);
}

Test(system_addresses, this_host_has_addresses_or_none_but_answers)
{
	cr_assert_eq(system_addresses_resolve(NULL, &list), 0);
	for (size_t i = 0; i < list.n; i++)
		cr_expect(address_is_single(&list.list[i].key));
}
