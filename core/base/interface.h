/* SPDX-License-Identifier: BSD-2-Clause */
/* Network interfaces by name, for those who misspell them. */
#ifndef SLUICE_BASE_INTERFACE_H
#define SLUICE_BASE_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>

/* The interface of this network namespace that `name` was probably meant to be; false if none is. */
bool interface_nearest(const char *name, char nearest[IFNAMSIZ]);

#endif /* SLUICE_BASE_INTERFACE_H */
