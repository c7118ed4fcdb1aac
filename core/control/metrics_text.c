/* SPDX-License-Identifier: BSD-2-Clause */
/* See metrics_text.h. */
#include "metrics_text.h"

#include <inttypes.h>
#include <math.h>

static void write_escaped(FILE *out, const char *text, int quote)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\\' || *text == quote)
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

void metrics_text_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s ", name);
	write_escaped(out, help, '\\');
	fprintf(out, "\n# TYPE %s %s\n", name, type);
}

static void write_name(FILE *out, const char *name, const struct metrics_label *labels)
{
	fputs(name, out);
	for (size_t i = 0; labels && labels[i].name; i++) {
		fprintf(out, "%c%s=\"", i == 0 ? '{' : ',', labels[i].name);
		write_escaped(out, labels[i].value, '"');
		fputc('"', out);
	}
	fputs(labels && labels[0].name ? "} " : " ", out);
}

void metrics_text_u64(FILE *out, const char *name, const struct metrics_label *labels,
		      uint64_t value)
{
	write_name(out, name, labels);
	fprintf(out, "%" PRIu64 "\n", value);
}

void metrics_text_double(FILE *out, const char *name, const struct metrics_label *labels,
			 double value)
{
	write_name(out, name, labels);
	if (isnan(value))
		fputs("NaN\n", out);
	else if (isinf(value))
		fputs(value > 0 ? "+Inf\n" : "-Inf\n", out);
	else
		fprintf(out, "%.9g\n", value);
}

void metrics_text_seconds(FILE *out, const char *name, const struct metrics_label *labels,
			  uint64_t ns)
{
	write_name(out, name, labels);
	fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}
