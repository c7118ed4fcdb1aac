/* SPDX-License-Identifier: BSD-2-Clause */
/* See libbpf_messages.h. */
#include "libbpf_messages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/err.h"

/* Per thread, because libbpf has one callback for the process and no context for it. */
static _Thread_local char first_warning[200];

static int keep_first_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_WARN || first_warning[0])
		return 0;
	vsnprintf(first_warning, sizeof(first_warning), format, args);
	/* A verifier log is many lines; the first says which program. */
	first_warning[strcspn(first_warning, "\n")] = '\0';
	return 0;
}

void libbpf_messages_init(void)
{
	first_warning[0] = '\0';
	libbpf_set_print(keep_first_warning);
}

void libbpf_messages_explain(struct sluice_err *err, const char *what, int code)
{
	const char *next = "";

	if (code == -EPERM || code == -EACCES)
		next = "; needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
	else if (code == -ENOMEM)
		next = "; lower policy.max_blocked or max_sources";
	err_set(err, NULL, "cannot load %s: %s%s%s%s", what, err_name(code),
		first_warning[0] ? ": " : "", first_warning, next);
	first_warning[0] = '\0';
}
