/* SPDX-License-Identifier: BSD-2-Clause */
/* The built-in feature programs behind the one per source, in the order in which they run. */
#ifndef SLUICE_BPF_FEATURE_SLOTS_H
#define SLUICE_BPF_FEATURE_SLOTS_H

enum feature_slot {
	FEATURE_SLOT_FLOW,
	FEATURE_SLOT_DESTINATION,
	FEATURE_SLOT_SAMPLE,
	FEATURE_N_SLOTS,
	FEATURE_CHAIN_END = FEATURE_N_SLOTS,
};

#endif /* SLUICE_BPF_FEATURE_SLOTS_H */
