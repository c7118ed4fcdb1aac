/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite_table.h. */
#include "suite_table.h"

#include <inttypes.h>
#include <stdio.h>

#include "suite_rows.h"

void suite_table_header(void)
{
	printf("%-62s %7s %7s %7s %7s %11s %11s %6s %5s\n", "mix", "windows", "att. %", "after %",
	       "ben. %", "known", "new", "blocks", "rules");
}

static void print_share(const struct score_share *share)
{
	if (share->packets)
		printf(" %7.2f", score_percent(share->dropped, share->packets));
	else
		printf(" %7s", "-");
}

void suite_table_row(const struct suite_row *row)
{
	const struct score_result *worst = &row->outcome.worst;
	char windows[24] = "-";

	if (row->outcome.has_attack && worst->all.windows != SCORE_NEVER)
		snprintf(windows, sizeof(windows), "%" PRIu64, worst->all.windows);
	printf("%-62.62s %7s", row->name, windows);
	print_share(&worst->attack);
	print_share(&worst->attack_after);
	printf(" %7.3f %5" PRIu64 "/%-5" PRIu64 " %5" PRIu64 "/%-5" PRIu64 " %6" PRIu64 " %5" PRIu64
	       "\n",
	       score_percent(worst->benign.dropped, worst->benign.packets), worst->known.harmed,
	       worst->known.clients, worst->fresh.harmed, worst->fresh.clients,
	       row->outcome.sources_blocked, row->outcome.rules_enforced);
	fflush(stdout);
}

void suite_table_pooled(const char *name, const struct score_result *pooled)
{
	if (!pooled->benign.packets)
		return;
	printf("%s: benign dropped %.3f %%, known clients harmed %.2f %% (%" PRIu64 " of %" PRIu64
	       "), new %.2f %% (%" PRIu64 " of %" PRIu64 ")\n",
	       name, score_percent(pooled->benign.dropped, pooled->benign.packets),
	       score_percent(pooled->known.harmed, pooled->known.clients), pooled->known.harmed,
	       pooled->known.clients, score_percent(pooled->fresh.harmed, pooled->fresh.clients),
	       pooled->fresh.harmed, pooled->fresh.clients);
}
