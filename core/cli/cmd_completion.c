/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice completion: prints the completion script, which is a file of its own in the sources. */
#include <string.h>

#include "cli.h"

/* The assembler puts the file in; no generated source is needed. */
__asm__(".pushsection .rodata\n"
	".local sluice_completion_bash\n"
	"sluice_completion_bash:\n"
	".incbin \"" SLUICE_COMPLETION_FILE "\"\n"
	".byte 0\n"
	".popsection\n");
extern const char sluice_completion_bash[] __attribute__((visibility("hidden")));

static int run(const struct cli_args *args)
{
	if (strcmp(args->operands[0], "bash") != 0) {
		fprintf(stderr, "sluice: completion: '%s': only bash is known\n",
			args->operands[0]);
		return CLI_EXIT_USAGE;
	}
	fputs(sluice_completion_bash, stdout);
	return CLI_EXIT_OK;
}

const struct cli_command cli_completion = {
	.name = "completion",
	.operands = "bash",
	.summary = "print the completion script of a shell",
	.help = "Use it in this shell, or put the file where bash-completion finds it:\n"
		"\n"
		"  source <(sluice completion bash)\n",
	.options = 0,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
