/* SPDX-License-Identifier: Apache-2.0 */
/* human_duration.h: ages as `kubectl get` shows them ("4m32s"): clients print the text of the server as it is. */
#ifndef KUBE_APISERVER_HUMAN_DURATION_H
#define KUBE_APISERVER_HUMAN_DURATION_H

#include <stdint.h>

/* Two units where the second still says something, else one; "<invalid>" for more than a second in the future (clocks
 * differ by less). */
void human_duration(int64_t ms, char text[16]);
/* How long ago wall-clock time then_ms was; "<unknown>" for 0. */
void human_age(uint64_t then_ms, int64_t now_ms, char text[16]);

#endif
