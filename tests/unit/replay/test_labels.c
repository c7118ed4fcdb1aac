/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sidecars: what packets become, and what is refused, with its place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/err.h"
#include "config/errors.h"
#include "frames.h"
#include "replay/labels.h"

static struct labels *parse(const char *text)
{
	char message[CONFIG_ERROR_TEXT_SIZE];
	struct config_errors errors;
	struct labels *labels = NULL;
	int rc;

	config_errors_init(&errors);
	rc = labels_parse("x.labels.yaml", text, strlen(text), &errors, &labels);
	cr_assert_eq(rc, 0, "%s: %s", text,
		     errors.count ? config_error_format(&errors.list[0], message) : "");
	return labels;
}

static enum label_class classify(const struct labels *labels, uint8_t protocol, uint16_t port,
				 enum label_class rest)
{
	struct frame frame;

	frame_build(&frame, &(struct frame_spec){ .source = "192.0.2.1",
						  .destination = "192.0.2.2",
						  .protocol = protocol,
						  .source_port = 5,
						  .destination_port = port });
	return labels_classify(labels, frame.data, frame.size, frame.size, rest);
}

Test(labels, attack_before_ignore_before_background)
{
	struct labels *labels = parse("attack: \"udp port 1\"\nignore: \"udp port 1 or port 2\"\n"
				      "background: \"udp\"\nspoofed: yes\n");

	cr_expect_eq(classify(labels, 17, 1, LABEL_BENIGN), LABEL_ATTACK);
	cr_expect_eq(classify(labels, 17, 2, LABEL_BENIGN), LABEL_IGNORE);
	cr_expect_eq(classify(labels, 17, 3, LABEL_ATTACK), LABEL_BENIGN);
	cr_expect_eq(classify(labels, 6, 3, LABEL_ATTACK), LABEL_ATTACK,
		     "the rest is the caller's");
	cr_expect_eq(classify(labels, 6, 3, LABEL_IGNORE), LABEL_IGNORE);
	cr_expect(labels_spoofed(labels));
	cr_expect(labels_has_attack(labels));
	labels_free(labels);
}

Test(labels, yes_no_and_reasons)
{
	static const struct {
		const char *text;
		bool spoofed, known_bad;
	} cases[] = {
		{ "spoofed: yes", true, false },
		{ "spoofed: true", true, false },
		{ "spoofed: no", false, false },
		{ "spoofed: \"off\"", false, false },
		{ "known_bad: no", false, false },
		{ "known_bad: true", false, true },
		{ "known_bad: \"a scan in it\"", false, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct labels *labels = parse(cases[i].text);

		cr_expect_eq(labels_spoofed(labels), cases[i].spoofed, "%s", cases[i].text);
		cr_expect_eq(labels_known_bad(labels), cases[i].known_bad, "%s", cases[i].text);
		labels_free(labels);
	}
}

Test(labels, errors_have_a_place)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "spoofed: no\nattack: \"udp and and\"\n",
		  "x.labels.yaml:2:9: attack: libpcap refuses the expression: " },
		{ "attack: [udp]\n", "x.labels.yaml:1:9: attack: a list, but it must be" },
		{ "attack:\n", "x.labels.yaml:1:" },
		{ "attack: 17\n", "x.labels.yaml:1:9: attack: an integer" },
		{ "  spoofed: maybe\n", "x.labels.yaml:1:12: spoofed: must be yes or no" },
		{ "known_bad: 3\n", "x.labels.yaml:1:12: known_bad: must be yes, no or" },
		{ "attack: udp\natack: tcp\n",
		  "x.labels.yaml:2:1: atack: unknown key; did you mean 'attack'?" },
		{ "- udp\n", "x.labels.yaml:1:1: a list, but labels are a mapping" },
		{ "attack: udp\nattack: tcp\n", "x.labels.yaml:2:1: " },
		{ "attack: &a udp\n", "x.labels.yaml:1:9: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char message[CONFIG_ERROR_TEXT_SIZE];
		struct config_errors errors;
		struct labels *labels = NULL;

		config_errors_init(&errors);
		cr_assert_eq(labels_parse("x.labels.yaml", cases[i].text, strlen(cases[i].text),
					  &errors, &labels),
			     -EINVAL, "%s", cases[i].text);
		config_error_format(&errors.list[0], message);
		cr_expect_eq(strncmp(message, cases[i].message, strlen(cases[i].message)), 0, "%s",
			     message);
		cr_expect_null(labels);
	}
}

Test(labels, other_keys_are_counted)
{
	struct labels *labels = parse("attack: udp\nsource: \"a friend\"\n");

	cr_expect_eq(labels_unknown(labels), 1);
	labels_free(labels);
}

Test(labels, attack_from_the_command_line)
{
	struct labels *labels = parse("attack: tcp\n");
	struct sluice_err err;

	err_init(&err);
	cr_expect_eq(labels_set_attack(labels, "no such thing", &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "libpcap"), "%s", err.text);
	cr_expect_eq(classify(labels, 6, 1, LABEL_IGNORE), LABEL_ATTACK, "the old one stays");
	cr_expect_eq(labels_set_attack(labels, "udp", &err), 0);
	cr_expect_eq(classify(labels, 17, 1, LABEL_IGNORE), LABEL_ATTACK);
	cr_expect_eq(classify(labels, 6, 1, LABEL_IGNORE), LABEL_IGNORE);
	labels_free(labels);
	cr_assert_eq(labels_new(&labels), 0);
	cr_expect_not(labels_has_attack(labels));
	cr_expect_eq(classify(labels, 6, 1, LABEL_ATTACK), LABEL_ATTACK);
	labels_free(labels);
}

Test(labels, beside_a_capture)
{
	char path[] = "/tmp/sluice-labels-XXXXXX", sidecar[64];
	struct config_errors errors;
	struct labels *labels;
	FILE *file;
	int fd = mkstemp(path);

	close(fd);
	config_errors_init(&errors);
	cr_expect_eq(labels_load_beside(path, &errors, &labels), 0, "none");
	cr_expect_null(labels);
	snprintf(sidecar, sizeof(sidecar), "%s.labels.yaml", path);
	file = fopen(sidecar, "w");
	fputs("attack: udp\n", file);
	fclose(file);
	cr_expect_eq(labels_load_beside(path, &errors, &labels), 1);
	labels_free(labels);
	file = fopen(sidecar, "w");
	fputs("attack: [\n", file);
	fclose(file);
	labels = NULL;
	cr_expect_eq(labels_load_beside(path, &errors, &labels), -EINVAL);
	cr_expect_eq(errors.count, 1);
	cr_expect_eq(labels_load("/nowhere/x", &errors, &labels), -ENOENT);
	unlink(sidecar);
	unlink(path);
}
