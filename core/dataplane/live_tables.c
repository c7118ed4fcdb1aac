/* SPDX-License-Identifier: BSD-2-Clause */
/* See live_tables.h. */
#include "live_tables.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/err.h"
#include "distinct_registers.h"
#include "state.h"

/*
 * Not pinned: what a dead daemon's side counted for an unknown time is no window of the next one.
 * The old tables go with their programs, at the first swap.
 */
static int make_array(const char *name, uint32_t value_size, uint32_t max_entries, int *fd,
		      struct sluice_err *err)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);

	*fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t), value_size, max_entries,
			     &options);
	if (*fd >= 0)
		return 0;
	int code = -errno;

	err_set(err, "max_sources", "cannot make table '%s' of %u times %u bytes: %s%s", name,
		max_entries, value_size, err_name(code),
		code == -ENOMEM ? "; track fewer sources" : "");
	return code;
}

struct table_names {
	const char *reader, *buckets, *dirty, *other;
};

static int make_table(struct feature_fds *fds, struct feature_reader *reader,
		      const struct feature_layout *layout, const struct table_names *names,
		      uint32_t n_cpus, uint32_t n_buckets, struct sluice_err *err)
{
	const struct feature_sizes sizes = feature_sizes(n_cpus, n_buckets);
	int code =
		make_array(names->buckets, layout->bucket_size, sizes.buckets, &fds->buckets, err);

	if (!code)
		code = make_array(names->dirty, sizeof(uint64_t), sizes.dirty, &fds->dirty, err);
	if (!code)
		code = make_array(names->other, sizeof(struct feature_other), sizes.other,
				  &fds->other, err);
	return code ? code
		    : feature_reader_open(reader, layout, fds, n_cpus, n_buckets, names->reader,
					  err);
}

int live_tables_open(struct live_tables *tables, const struct state *state, struct sluice_err *err)
{
	static const struct table_names names4 = { "source4", "sluice_source4", "sluice_s4_dirty",
						   "sluice_s4_other" };
	static const struct table_names names6 = { "source6", "sluice_source6", "sluice_s6_dirty",
						   "sluice_s6_other" };
	uint32_t n_cpus = state->sizes.n_cpus;
	int code;

	*tables = (struct live_tables){
		.v4 = { -1, -1, -1 },
		.v6 = { -1, -1, -1 },
		.distinct_fd = -1,
		.n_cpus = n_cpus,
		.source4_buckets = state->source4_buckets,
		.source6_buckets = state->source6_buckets,
		.sources.v6_prefix_len = (uint8_t)state->sizes.v6_prefix_len,
	};
	code = make_table(&tables->v4, &tables->sources.v4, &source_table_layout4, &names4, n_cpus,
			  state->source4_buckets, err);
	if (!code)
		code = make_table(&tables->v6, &tables->sources.v6, &source_table_layout6, &names6,
				  n_cpus, state->source6_buckets, err);
	if (!code)
		code = make_array("sluice_distinct", sizeof(struct distinct_registers), 2 * n_cpus,
				  &tables->distinct_fd, err);
	return code ? code : mapped_open(&tables->distinct, tables->distinct_fd, "distinct", err);
}

static void close_fds(const struct feature_fds *fds)
{
	if (fds->buckets >= 0)
		close(fds->buckets);
	if (fds->dirty >= 0)
		close(fds->dirty);
	if (fds->other >= 0)
		close(fds->other);
}

void live_tables_close(struct live_tables *tables)
{
	/* Never opened. */
	if (!tables->n_cpus)
		return;
	source_table_close(&tables->sources);
	mapped_close(&tables->distinct);
	close_fds(&tables->v4);
	close_fds(&tables->v6);
	if (tables->distinct_fd >= 0)
		close(tables->distinct_fd);
	*tables = (struct live_tables){ 0 };
}
