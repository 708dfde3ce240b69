/* SPDX-License-Identifier: Apache-2.0 */
/* picker_config_internal.h: what the two files share that decode an EndpointPickerConfig.  Private to them. */
#ifndef INFERENCE_SCHEDULE_PICKER_CONFIG_INTERNAL_H
#define INFERENCE_SCHEDULE_PICKER_CONFIG_INTERNAL_H

#include "inference/schedule/picker_config.h"

enum { PLUGINS_MAX = 64, PATH_BYTES = 256 };

struct decoding {
    struct problems *problems;
    char path[PATH_BYTES];
    struct plugin plugins[PLUGINS_MAX];
    unsigned plugin_count;
    struct picker_config *config;
};

/* About `name` in the object whose path is in force; NULL: about that itself. */
void picker_config_bad(struct decoding *decoding, const char *name, const char *reason, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Goes down into `name` (with an index when it is not negative); returns what picker_config_leave() takes. */
size_t picker_config_enter(struct decoding *decoding, const char *name, int index);
void picker_config_leave(struct decoding *decoding, size_t len);

/* A number within the syntax's bounds; else a problem, and *ret_number stays. */
void picker_config_number(struct decoding *decoding, const struct parameter_syntax *syntax, json_t *value,
                          double *ret_number);
/* item.parameters, into the plugin. */
void picker_config_parameters(struct decoding *decoding, json_t *item, struct plugin *plugin);

#endif
