/* SPDX-License-Identifier: BSD-2-Clause */
/* libbpf's own words: kept off the terminal, and quoted when something failed. */
#ifndef SLUICE_DATAPLANE_LIBBPF_MESSAGES_H
#define SLUICE_DATAPLANE_LIBBPF_MESSAGES_H

#include <sluice/plugin.h>

/* Routes libbpf's messages here.  Idempotent. */
void libbpf_messages_init(void);

/* "cannot load <what>: -EPERM: <libbpf's last warning>", with the next step where it is known. */
void libbpf_messages_explain(struct sluice_err *err, const char *what, int code);

#endif /* SLUICE_DATAPLANE_LIBBPF_MESSAGES_H */
