/* SPDX-License-Identifier: BSD-2-Clause */
/* signatures.yaml as it was when the detector was built. */
#ifndef SIGNATURE_BUILTIN_H
#define SIGNATURE_BUILTIN_H

#include <stdint.h>

extern const char signature_builtin[]; /* NUL-terminated. */
extern const uint64_t signature_builtin_size;

#endif /* SIGNATURE_BUILTIN_H */
