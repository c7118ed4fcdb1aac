/* SPDX-License-Identifier: BSD-2-Clause */
/* What `deliver` of the deployment file says, in the data plane's words. */
#ifndef SLUICE_SLUICED_DAEMON_DELIVER_H
#define SLUICE_SLUICED_DAEMON_DELIVER_H

#include "dataplane/dataplane.h"

struct settings;

/* 0 or -ENOMEM.  Points into `settings`. */
int daemon_deliver_new(const struct settings *settings, struct dataplane_deliver *deliver)
	__attribute__((warn_unused_result));
void daemon_deliver_free(struct dataplane_deliver *deliver);

#endif /* SLUICE_SLUICED_DAEMON_DELIVER_H */
