/* SPDX-License-Identifier: BSD-2-Clause */
/* See builtin.h. */
#include "builtin.h"

__asm__(".pushsection .rodata\n"
	".global signature_builtin, signature_builtin_size\n"
	".hidden signature_builtin, signature_builtin_size\n"
	"signature_builtin:\n"
	".incbin \"" SIGNATURES_FILE "\"\n"
	"0:\n"
	".byte 0\n"
	".balign 8\n"
	"signature_builtin_size:\n"
	".quad 0b - signature_builtin\n"
	".popsection\n");
