/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice replay: captures through the filter and the engine, scored.  See evaluate/. */
#include "evaluate/evaluate.h"

#include "cli.h"

const struct cli_command cli_replay = {
	.name = "replay",
	.operands = "[CAPTURE...]",
	.summary = "put captures through the real data path, and score a deployment file",
	.main = evaluate_main,
};
