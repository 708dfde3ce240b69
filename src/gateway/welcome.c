/* SPDX-License-Identifier: Apache-2.0 */
/* welcome.c: the first Gateway's address and the first model that a pool is asked for make the lines to try. */
#include "gateway/welcome.h"

#include <stdlib.h>

#include "kube/api/gateway.h"
#include "kube/api/inference.h"
#include "net/address.h"

static const struct object_status *first_gateway(const struct status_report *report)
{
    for (unsigned i = 0; i < report->len; i++)
        if (report->objects[i].object->kind == KUBE_GATEWAY && report->objects[i].address != NULL)
            return &report->objects[i];
    return NULL;
}

static const char *first_model(const struct status_report *report)
{
    for (unsigned i = 0; i < report->len; i++) {
        const struct kube_object *object = report->objects[i].object;
        if (object->kind == KUBE_INFERENCE_MODEL)
            return ((const struct inference_model_spec *)object->spec)->model_name;
    }
    return NULL;
}

static void print_requests(FILE *out, const struct object_status *gateway, const char *model)
{
    const struct gateway_spec *spec = gateway->object->spec;
    struct address at;
    char host[ADDRESS_TEXT_SIZE];
    if (spec->listener_count == 0 || !address_make(&at, bytes_of(gateway->address), spec->listeners[0].port))
        return;
    address_text(&at, host); /* with the brackets that an IPv6 address needs */
    fprintf(out, "\nTry:\n");
    if (model == NULL) {
        fprintf(out, "  curl -i http://%s/v1/models\n", host);
        return;
    }
    fprintf(out, "  curl -i http://%s/v1/chat/completions -H 'Content-Type: application/json' \\\n", host);
    fprintf(out, "    -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Who are you?\"}]}'\n",
            model);
}

void welcome_print_kubeconfig(FILE *out, const char *data)
{
    char *folder = realpath(data, NULL);
    fprintf(out, "export KUBECONFIG=%s/kubeconfig\n", folder != NULL ? folder : data);
    fflush(out);
    free(folder);
}

void welcome_print(FILE *out, const struct status_report *report, const char *admin)
{
    const struct object_status *gateway = first_gateway(report);
    fprintf(out, "ready\n");
    if (gateway != NULL)
        print_requests(out, gateway, first_model(report));
    fprintf(out, "  curl http://%s/debug/pools    # endpoints and their load\n", admin);
    fprintf(out, "  curl http://%s/metrics\n", admin);
    fflush(out);
}
