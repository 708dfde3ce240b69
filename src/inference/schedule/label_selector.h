/* SPDX-License-Identifier: Apache-2.0 */
/* label_selector.h: selectors over the labels of endpoints, both as texts that a pick can walk.  Pure.
 *
 * Labels: "\nkey=value\nkey=value\n"; "" for none.  A selector: a line per requirement, all of which must hold: an
 * operator, the key, a blank, and each value with a blank behind it. */
#ifndef INFERENCE_SCHEDULE_LABEL_SELECTOR_H
#define INFERENCE_SCHEDULE_LABEL_SELECTOR_H

#include "base/bytes.h"

enum select_operator { SELECT_IN = '=', SELECT_NOT_IN = '!', SELECT_EXISTS = '+', SELECT_ABSENT = '-' };

bool endpoint_selector_matches(const char *selector, const char *labels);
/* False: there is no such label. */
bool endpoint_label_find(const char *labels, struct bytes key, struct bytes *ret_value);
/* values: " first second "; as those behind the key of a requirement, with the blank before them. */
bool endpoint_label_is_among(struct bytes value, struct bytes values);

#endif
