/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bounded list of what is wrong with a file.
 */
#include "errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "node.h"

void config_errors_init(struct config_errors *errors)
{
	errors->count = 0;
}

size_t config_errors_kept(const struct config_errors *errors)
{
	return errors->count < CONFIG_ERRORS_MAX ? errors->count : CONFIG_ERRORS_MAX;
}

/* Text from a file must not move the cursor of the terminal that shows it. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void add_v(struct config_errors *errors, const char *file, unsigned int line,
		  unsigned int column, const char *key, const char *fmt, va_list args)
{
	struct config_error *error;
	int len;

	if (!errors || errors->count++ >= CONFIG_ERRORS_MAX)
		return;
	error = &errors->list[errors->count - 1];
	error->line = line;
	error->column = column;
	snprintf(error->file, sizeof(error->file), "%s", file);
	snprintf(error->key, sizeof(error->key), "%s", key ? key : "");
	len = vsnprintf(error->text, sizeof(error->text), fmt, args);
	if (len >= (int)sizeof(error->text))
		memcpy(error->text + sizeof(error->text) - 4, "...", 4);
	clean(error->file);
	clean(error->key);
	clean(error->text);
}

void config_errors_add(struct config_errors *errors, const char *file, unsigned int line,
		       unsigned int column, const char *key, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_v(errors, file, line, column, key, fmt, args);
	va_end(args);
}

void config_errors_add_at(struct config_errors *errors, const struct config_node *node,
			  const char *key, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_v(errors, config_node_file(node), config_node_line(node), config_node_column(node), key,
	      fmt, args);
	va_end(args);
}

const char *config_error_format(const struct config_error *error, char *text)
{
	const char *separator = error->key[0] ? ": " : "";

	if (error->line)
		snprintf(text, CONFIG_ERROR_TEXT_SIZE, "%s:%u:%u: %s%s%s", error->file, error->line,
			 error->column, error->key, separator, error->text);
	else
		snprintf(text, CONFIG_ERROR_TEXT_SIZE, "%s: %s%s%s", error->file, error->key,
			 separator, error->text);
	return text;
}

void config_errors_to_err(const struct config_errors *errors, struct sluice_err *err)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	if (!errors || !errors->count)
		return;
	config_error_format(&errors->list[0], text);
	if (errors->count > 1)
		err_set(err, errors->list[0].key, "%.200s; and %zu more", text, errors->count - 1);
	else
		err_set(err, errors->list[0].key, "%s", text);
}
