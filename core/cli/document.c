/* SPDX-License-Identifier: BSD-2-Clause */
/* See document.h. */
#include "document.h"

#include <stdio.h>
#include <string.h>

const json_t *document_get(const json_t *document, const char *path)
{
	while (document && *path) {
		size_t len = strcspn(path, ".");
		char name[64];

		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		document = json_object_get(document, name);
		path += len + (path[len] == '.');
	}
	return document;
}

uint64_t document_u64(const json_t *document, const char *path)
{
	json_int_t value = json_integer_value(document_get(document, path));

	return value > 0 ? (uint64_t)value : 0;
}

double document_number(const json_t *document, const char *path)
{
	return json_number_value(document_get(document, path));
}

bool document_bool(const json_t *document, const char *path)
{
	return json_is_true(document_get(document, path));
}

const char *document_string(const json_t *document, const char *path)
{
	const char *text = json_string_value(document_get(document, path));

	return text ? text : "";
}
