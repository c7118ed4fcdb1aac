/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_condition.h"

#include <string.h>

#include "content.h"
#include "http_date.h"
#include "http_request.h"

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* Whether a list of entity tags has the file's; a weak one is as good if only its content matters. */
static bool has_tag(const char *list, const struct content_file *file, bool weak)
{
	size_t len = strlen(file->tag);

	if (strcmp(list, "*") == 0)
		return true;
	for (; len && *list; list += strspn(list, ", \t")) {
		if (weak && strncmp(list, "W/", 2) == 0)
			list += 2;
		if (strncmp(list, file->tag, len) == 0) {
			const char *end = skip_blanks(list + len);

			if (!*end || *end == ',')
				return true;
		}
		list += strcspn(list, ",");
	}
	return false;
}

static bool is_modified_since(const char *date, const struct content_file *file)
{
	time_t when;

	/* Another date than the one that we gave is of another file, even a later one. */
	return !file->modified || !http_date_parse(date, &when) || when != file->modified;
}

static bool is_unmodified_since(const char *date, const struct content_file *file)
{
	time_t when;

	return file->modified && http_date_parse(date, &when) && when >= file->modified;
}

enum http_condition http_condition(const struct http_request *request,
				   const struct content_file *file)
{
	const char *unmodified = http_request_value(request, HTTP_IF_UNMODIFIED_SINCE);
	const char *match = http_request_value(request, HTTP_IF_MATCH);
	const char *modified = http_request_value(request, HTTP_IF_MODIFIED_SINCE);
	const char *none_match = http_request_value(request, HTTP_IF_NONE_MATCH);

	if (unmodified && !is_unmodified_since(unmodified, file))
		return HTTP_CONDITION_FAILED;
	if (match && !has_tag(match, file, false))
		return HTTP_CONDITION_FAILED;
	if (!modified && !none_match)
		return HTTP_CONDITION_HOLDS;
	if (modified && is_modified_since(modified, file))
		return HTTP_CONDITION_HOLDS;
	if (none_match && !has_tag(none_match, file, true))
		return HTTP_CONDITION_HOLDS;
	return HTTP_CONDITION_NOT_MODIFIED;
}

bool http_condition_range(const struct http_request *request, const struct content_file *file)
{
	const char *value = http_request_value(request, HTTP_IF_RANGE);
	size_t len = value ? strlen(value) : 0;

	if (!value)
		return true;
	if (len >= 2 && value[len - 1] == '"')
		return file->tag[0] && strcmp(value, file->tag) == 0;
	return !is_modified_since(value, file);
}
