/* SPDX-License-Identifier: Apache-2.0 */
/* template_form.h: when two pod templates are the same.  Pure.
 *
 * Clients in Go read a template into structs and write it back (`kubectl rollout undo` does): members that are empty
 * appear (`resources: {}`) and disappear (`value: ""`), and quantities change their spelling.  A cluster stores what
 * such a trip leaves and so never sees the difference; here the user's text is kept, and the difference is ignored. */
#ifndef CONTROL_WORKLOADS_TEMPLATE_FORM_H
#define CONTROL_WORKLOADS_TEMPLATE_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Labels and annotations as they are, the spec without empty members, no label `but_label`.  The caller's. */
json_t *template_form(const json_t *template, const char *but_label);
/* Of a form; the same in every run.  seed: for another one when its name is taken. */
uint64_t template_form_hash(const json_t *form, uint64_t seed);

#endif
