/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an interface is spelt in the name of a pin.  bpffs refuses dots, which VLAN interfaces have, so
 * '.' becomes '@'; what could be mistaken for that becomes '%' and two hexadecimal digits.  No two
 * interfaces share a spelling.
 */
#ifndef SLUICE_DATAPLANE_PIN_NAME_H
#define SLUICE_DATAPLANE_PIN_NAME_H

#include <net/if.h>
#include <stdbool.h>

/* Room for a name of which each character is escaped. */
#define PIN_NAME_SIZE (3 * (IFNAMSIZ - 1) + 1)

/* `ifname` is cut at IFNAMSIZ - 1 characters, which is as long as one gets. */
void pin_name_from(char pin_name[PIN_NAME_SIZE], const char *ifname);

/* False if `pin_name` is not what pin_name_from() gives for any interface. */
bool pin_name_to(char ifname[IFNAMSIZ], const char *pin_name);

#endif /* SLUICE_DATAPLANE_PIN_NAME_H */
