/* SPDX-License-Identifier: BSD-2-Clause */
/* The version, which comes from the build, and where things are by default. */
#ifndef SLUICE_SLUICED_VERSION_H
#define SLUICE_SLUICED_VERSION_H

#ifndef SLUICE_VERSION
#error "the build defines SLUICE_VERSION"
#endif

#define SLUICE_DEFAULT_SOCKET "/run/sluice/control.sock"
#define SLUICE_DEFAULT_CONFIG "/etc/sluice/sluice.yaml"

#endif /* SLUICE_SLUICED_VERSION_H */
