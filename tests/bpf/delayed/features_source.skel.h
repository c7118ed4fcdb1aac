/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam by which a test gives core/dataplane/live_side.c a feature program that dawdles: compiled
 * with this folder in front, it finds this instead of the skeleton that is shipped.
 */
#ifndef SLUICE_TESTS_BPF_DELAYED_FEATURES_SOURCE_SKEL_H
#define SLUICE_TESTS_BPF_DELAYED_FEATURES_SOURCE_SKEL_H

#include "shared.h"

/* Uses types of shared.h. */
#include "delayed_source.skel.h"

#define features_source delayed_source
#define features_source__open delayed_source__open
#define features_source__load delayed_source__load
#define features_source__destroy delayed_source__destroy

#endif /* SLUICE_TESTS_BPF_DELAYED_FEATURES_SOURCE_SKEL_H */
