/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_date.h"

#include <stdio.h>
#include <string.h>

/* Not those of strftime(), which follow the locale. */
static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
				  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

void http_date_format(time_t when, char date[HTTP_DATE_SIZE])
{
	char text[160];
	struct tm tm;

	if (!gmtime_r(&when, &tm) || tm.tm_year > 8099 || tm.tm_year < 0)
		memset(&tm, 0, sizeof(tm));
	snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		 days[(unsigned int)tm.tm_wday % 7], tm.tm_mday,
		 months[(unsigned int)tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	memcpy(date, text, HTTP_DATE_SIZE - 1);
	date[HTTP_DATE_SIZE - 1] = '\0';
}

/* True if all of `text` is of this form: day, month's name, year, hour, minute, second. */
static bool matches(const char *text, const char *format, struct tm *tm, char month[4])
{
	int end = 0;

	return sscanf(text, format, &tm->tm_mday, month, &tm->tm_year, &tm->tm_hour, &tm->tm_min,
		      &tm->tm_sec, &end) == 6 &&
	       end && !text[end];
}

static bool matches_asctime(const char *text, struct tm *tm, char month[4])
{
	int end = 0;

	return sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm->tm_mday,
		      &tm->tm_hour, &tm->tm_min, &tm->tm_sec, &tm->tm_year, &end) == 6 &&
	       end && !text[end];
}

static bool month_of(const char *name, struct tm *tm)
{
	for (tm->tm_mon = 0; tm->tm_mon < 12; tm->tm_mon++)
		if (strcmp(name, months[tm->tm_mon]) == 0)
			return true;
	return false;
}

static bool is_possible(const struct tm *tm)
{
	return tm->tm_mday >= 1 && tm->tm_mday <= 31 && tm->tm_year >= 1900 && tm->tm_hour >= 0 &&
	       tm->tm_hour <= 23 && tm->tm_min >= 0 && tm->tm_min <= 59 && tm->tm_sec >= 0 &&
	       tm->tm_sec <= 60;
}

bool http_date_parse(const char *text, time_t *when)
{
	char month[4] = "";
	struct tm tm = { 0 };

	if (matches(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &tm, month))
		tm.tm_year += tm.tm_year < 70 ? 2000 : 1900;
	else if (!matches(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm, month) &&
		 !matches_asctime(text, &tm, month))
		return false;
	if (!month_of(month, &tm) || !is_possible(&tm))
		return false;
	tm.tm_year -= 1900;
	*when = timegm(&tm);
	return true;
}
