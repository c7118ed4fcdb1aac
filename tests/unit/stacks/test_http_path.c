/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "http_path.h"

Test(http_path, decodes_and_simplifies)
{
	static const struct {
		const char *target, *path; /* NULL: malformed. */
	} paths[] = {
		{ "/", "/" },
		{ "/a%20b?c=%zz", "/a b" },
		{ "/%41%62", "/Ab" },
		{ "/a%3fb%23c%25", "/a?b#c%" },
		{ "//a///b//", "/a/b/" },
		{ "/./a/./b/.", "/a/b/" },
		{ "/a/../b", "/b" },
		{ "/a/b/../../c", "/c" },
		{ "/a//../b", "/b" },
		{ "/a/..", "/" },
		{ "/.", "/" },
		{ "/a/%2e%2E/b", "/b" },
		{ "/%2fb", "/b" },
		{ "/...", "/..." },
		{ "/..a/.b/c..", "/..a/.b/c.." },
		{ "http://host", "/" },
		{ "HTTP://host/x#y", "/x" },
		{ "http://host:80?q", "/" },
		{ "ftp+x://[::1]:80/x", "/x" },
		{ "/..", NULL },
		{ "/../a", NULL },
		{ "/a/../../b", NULL },
		{ "/%2e%2e/a", NULL },
		{ "http://host/../a", NULL },
		{ "/%00", NULL },
		{ "/%4", NULL },
		{ "/%", NULL },
		{ "/%g1", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "*", NULL },
		{ "http:///x", NULL },
		{ "http:/x", NULL },
		{ "1http://host/x", NULL },
		{ "://host/x", NULL },
	};
	char path[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int len = http_path(paths[i].target, path, sizeof(path));

		if (!paths[i].path) {
			cr_assert_eq(len, -1, "%s", paths[i].target);
			continue;
		}
		cr_assert_neq(len, -1, "%s", paths[i].target);
		cr_assert_str_eq(path, paths[i].path);
		cr_assert_eq(len, (int)strlen(path));
	}
	cr_assert_eq(http_path("/abc", path, 4), -1, "no room for the end");
}

Test(http_path, hosts)
{
	static const char *const good[] = { "a", "a:80", "A.b.", "[::1]", "[::1]:80", "a,b", "_" };
	static const char *const bad[] = { "", ".", ":80", "a..b", "a/b", "a b", "a\x7f" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_assert(http_host_is_valid(good[i], strlen(good[i])), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(http_host_is_valid(bad[i], strlen(bad[i])), "%s", bad[i]);
}
