/* SPDX-License-Identifier: BSD-2-Clause */
/* See prometheus.h. */
#include "prometheus.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 1024

struct checker {
	char help[128], family[128], type[16]; /* Of the family at hand. */
	char *seen[SEEN_MAX];		       /* Families and samples so far. */
	size_t n_seen;
	char *why;
	size_t why_size;
};

static bool fail(struct checker *checker, const char *why, const char *line)
{
	snprintf(checker->why, checker->why_size, "%s: %s", why, line);
	return false;
}

static size_t name_len(const char *text, bool label)
{
	size_t len = 0;

	while (isalpha((unsigned char)text[len]) || text[len] == '_' ||
	       (!label && text[len] == ':') || (len > 0 && isdigit((unsigned char)text[len])))
		len++;
	return len;
}

static bool add_seen(struct checker *checker, const char *text, size_t len)
{
	for (size_t i = 0; i < checker->n_seen; i++) {
		if (strlen(checker->seen[i]) == len && memcmp(checker->seen[i], text, len) == 0)
			return false;
	}
	if (checker->n_seen == SEEN_MAX)
		return false;
	checker->seen[checker->n_seen++] = strndup(text, len);
	return true;
}

/* Returns the end of {...}, or NULL. */
static const char *skip_labels(const char *at)
{
	for (at++; *at != '}';) {
		size_t len = name_len(at, true);

		if (len == 0 || at[len] != '=' || at[len + 1] != '"')
			return NULL;
		for (at += len + 2; *at != '"'; at++) {
			if (*at == '\0')
				return NULL;
			if (*at == '\\' && !strchr("\\\"n", *++at))
				return NULL;
		}
		at++;
		if (*at == ',')
			at++;
		else if (*at != '}')
			return NULL;
	}
	return at + 1;
}

static bool check_help(struct checker *checker, const char *line)
{
	size_t len = name_len(line + 7, false);

	if (len == 0 || line[7 + len] != ' ' || line[7 + len + 1] == '\0')
		return fail(checker, "HELP without name or text", line);
	if (!add_seen(checker, line, 7 + len))
		return fail(checker, "second HELP", line);
	snprintf(checker->help, sizeof(checker->help), "%.*s", (int)len, line + 7);
	checker->family[0] = '\0';
	return true;
}

static bool check_type(struct checker *checker, const char *line)
{
	size_t len = name_len(line + 7, false);

	snprintf(checker->family, sizeof(checker->family), "%.*s", (int)len, line + 7);
	if (strcmp(checker->family, checker->help) != 0)
		return fail(checker, "TYPE does not follow its HELP", line);
	snprintf(checker->type, sizeof(checker->type), "%s", line + 7 + len + 1);
	if (strcmp(checker->type, "counter") != 0 && strcmp(checker->type, "gauge") != 0)
		return fail(checker, "unknown type", line);
	if ((strcmp(checker->type, "counter") == 0) !=
	    (len > 6 && strcmp(checker->family + len - 6, "_total") == 0))
		return fail(checker, "counters, and they alone, end in _total", line);
	return true;
}

static bool check_sample(struct checker *checker, const char *line)
{
	size_t len = name_len(line, false);
	const char *at = line + len;
	char *end;

	if (len == 0 || strlen(checker->family) != len || strncmp(line, checker->family, len) != 0)
		return fail(checker, "sample outside its family", line);
	if (*at == '{')
		at = skip_labels(at);
	if (!at || *at != ' ')
		return fail(checker, "malformed labels", line);
	if (!add_seen(checker, line, (size_t)(at - line)))
		return fail(checker, "second sample of the same labels", line);
	strtod(at + 1, &end);
	if (end == at + 1 || *end != '\0')
		return fail(checker, "malformed value", line);
	return true;
}

static bool check_line(struct checker *checker, const char *line)
{
	if (strncmp(line, "# HELP ", 7) == 0)
		return check_help(checker, line);
	if (strncmp(line, "# TYPE ", 7) == 0)
		return check_type(checker, line);
	return check_sample(checker, line);
}

size_t prometheus_check(const char *text, char *why, size_t why_size)
{
	struct checker checker = { .why = why, .why_size = why_size };
	size_t number = 0;
	bool ok = true;

	while (ok && *text) {
		size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);

		number++;
		ok = text[len] == '\n' ? check_line(&checker, line)
				       : fail(&checker, "the last line does not end", line);
		text += len + 1;
		free(line);
	}
	for (size_t i = 0; i < checker.n_seen; i++)
		free(checker.seen[i]);
	return ok ? 0 : number;
}

double prometheus_value(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtod(line + len + 1, NULL);
	}
	return NAN;
}
