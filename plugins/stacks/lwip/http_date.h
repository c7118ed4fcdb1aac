/* SPDX-License-Identifier: BSD-2-Clause */
/* Dates as HTTP writes them (RFC 9110, 5.6.7): one form is written, three are read. */
#ifndef SLUICE_LWIP_HTTP_DATE_H
#define SLUICE_LWIP_HTTP_DATE_H

#include <stdbool.h>
#include <time.h>

enum {
	HTTP_DATE_SIZE = 30, /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

void http_date_format(time_t when, char date[HTTP_DATE_SIZE]);

/* False: it is none. */
bool http_date_parse(const char *text, time_t *when);

#endif /* SLUICE_LWIP_HTTP_DATE_H */
