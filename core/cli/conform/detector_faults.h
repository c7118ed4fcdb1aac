/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases in which the host says no; see detector.c for the others. */
#ifndef SLUICE_CLI_CONFORM_DETECTOR_FAULTS_H
#define SLUICE_CLI_CONFORM_DETECTOR_FAULTS_H

struct conform;

int faults_limits(struct conform *conform);
int faults_refusals(struct conform *conform);
int faults_reconfigure(struct conform *conform);

#endif /* SLUICE_CLI_CONFORM_DETECTOR_FAULTS_H */
