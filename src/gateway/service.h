/* SPDX-License-Identifier: Apache-2.0 */
/* service.h: what a service manager wants of a program that runs for long: to be told when it is ready and that it is
 * alive (the sd_notify protocol, by NOTIFY_SOCKET and WATCHDOG_USEC), and a log file that can be moved away. */
#ifndef GATEWAY_SERVICE_H
#define GATEWAY_SERVICE_H

#include "gateway/worker.h"

/* "READY=1", "STOPPING=1", ...  Nothing happens where nobody asked to be told. */
void service_notify(const char *state);

/* Tells the manager as often as it wants that every worker and the control thread still take mail; a thread that hangs
 * ends the good news, and the manager restarts the program. */
struct watchdog {
    struct reactor *reactor; /* NULL: no manager watches */
    struct worker *const *workers;
    unsigned worker_count;
    unsigned answered; /* workers, since the last round began */
    uint64_t period_ms;
    struct wheel_timer timer;
};
/* It must live until the reactor was freed: heartbeats may still lie in its mailbox. */
void watchdog_start(struct watchdog *watchdog, struct reactor *reactor, struct worker *const *workers,
                    unsigned worker_count);
/* No further round.  Harmless when it never started. */
void watchdog_stop(struct watchdog *watchdog);

/* Log lines go to path from now on (appended; 0640); called again, to a new file of that name.  0 or -errno. */
int service_log_to(const char *path);

#endif
