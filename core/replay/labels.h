/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the packets of a capture are, for scoring: the sidecar `<capture>.labels.yaml` with libpcap
 * expressions.  Only the mix and the score read labels; detectors never see them.
 *
 *   attack: "udp and src port 161"     # scored as attack
 *   background: "tcp port 443"         # scored as benign
 *   ignore: "src host 10.10.10.10"     # not scored: replies of the victim, backscatter
 *   spoofed: yes                       # sources are invented: fresh ones on every repetition
 *   known_bad: no                      # a benign capture that holds an attack after all; or why
 *
 * The first that matches, in the order attack, ignore, background, decides.  What none matches is,
 * in an attack capture, attack if there is no `attack` line and else ignored; in a benign one benign.
 */
#ifndef SLUICE_REPLAY_LABELS_H
#define SLUICE_REPLAY_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_errors;
struct labels;
struct sluice_err;

enum label_class {
	LABEL_BENIGN,
	LABEL_ATTACK,
	LABEL_IGNORE,
};

/*
 * Reads a sidecar.  0; -EINVAL not acceptable, an expression that libpcap refuses included; or
 * what open() says.  The reasons go to `errors` as FILE:LINE:COLUMN.  Keys that are not known are
 * refused when they look like a slip of one that is, and else counted by labels_unknown().
 */
int labels_load(const char *path, struct config_errors *errors, struct labels **out)
	__attribute__((warn_unused_result));
int labels_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		 struct labels **out) __attribute__((warn_unused_result));
/*
 * The sidecar of `capture_path` if there is one: 1 and `*out`; 0 and NULL if there is none; else as
 * labels_load().
 */
int labels_load_beside(const char *capture_path, struct config_errors *errors, struct labels **out)
	__attribute__((warn_unused_result));
/* No lines at all: every packet is attack.  For captures without labels.  0 or -ENOMEM. */
int labels_new(struct labels **out) __attribute__((warn_unused_result));
/* Replaces the `attack` line, as --attack-filter does.  0, -EINVAL or -ENOMEM. */
int labels_set_attack(struct labels *labels, const char *expression, struct sluice_err *err)
	__attribute__((warn_unused_result));
void labels_free(struct labels *labels);

/*
 * Of an Ethernet frame of `size` captured bytes, as it is in the capture; `rest` is what a frame is
 * that no line matches.
 */
enum label_class labels_classify(const struct labels *labels, const uint8_t *frame, uint32_t size,
				 uint32_t wire_size, enum label_class rest);

bool labels_has_attack(const struct labels *labels);
bool labels_spoofed(const struct labels *labels);
bool labels_known_bad(const struct labels *labels);
/* Keys of the file that mean nothing to us. */
size_t labels_unknown(const struct labels *labels);

#endif /* SLUICE_REPLAY_LABELS_H */
