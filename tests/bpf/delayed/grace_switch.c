// SPDX-License-Identifier: BSD-2-Clause
/* See grace_switch.h.  The names are the linker's. */
#include "grace_switch.h"

#include <sluice/plugin.h>

#include "dataplane/grace.h"

struct grace_switch grace_switch;

int __real_grace_wait(struct grace *grace, struct sluice_err *err);
int __wrap_grace_wait(struct grace *grace, struct sluice_err *err);

int __wrap_grace_wait(struct grace *grace, struct sluice_err *err)
{
	grace_switch.n_calls++;
	return grace_switch.off ? 0 : __real_grace_wait(grace, err);
}
