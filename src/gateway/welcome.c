/* SPDX-License-Identifier: Apache-2.0 */
/* welcome.c: the first Gateway's address and the models that its pools know make the lines to try. */
#include "gateway/welcome.h"

#include "kube/api/gateway.h"
#include "kube/api/inference.h"

static void print_request(FILE *out, const char *address, unsigned port, const char *model)
{
    fprintf(out, "  curl -i http://%s:%u/v1/chat/completions -H 'Content-Type: application/json' \\\n", address, port);
    fprintf(out, "    -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Who are you?\"}]}'\n",
            model);
}

void welcome_print(FILE *out, const struct status_report *report, const char *admin)
{
    const struct object_status *gateway = NULL;
    fprintf(out, "ready\n");
    for (unsigned i = 0; i < report->len && gateway == NULL; i++)
        if (report->objects[i].object->kind == KUBE_GATEWAY && report->objects[i].address != NULL)
            gateway = &report->objects[i];
    if (gateway != NULL) {
        const struct gateway_spec *spec = gateway->object->spec;
        bool is_told = false;
        fprintf(out, "\nTry:\n");
        for (unsigned i = 0; i < report->len; i++) {
            if (report->objects[i].object->kind != KUBE_INFERENCE_MODEL)
                continue;
            const struct inference_model_spec *model = report->objects[i].object->spec;
            if (!is_told)
                print_request(out, gateway->address, spec->listeners[0].port, model->model_name);
            is_told = true;
        }
        if (!is_told)
            fprintf(out, "  curl -i http://%s:%u/v1/models\n", gateway->address, spec->listeners[0].port);
    }
    fprintf(out, "  curl http://%s/debug/pools    # endpoints and their load\n", admin);
    fprintf(out, "  curl http://%s/metrics\n", admin);
    fflush(out);
}
