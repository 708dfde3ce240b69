/* SPDX-License-Identifier: Apache-2.0 */
/* ignored_flags.c: two lists, to know whether a word behind a flag is its value.  Pure. */
#include "sim/ignored_flags.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#define MAX_NAME_LEN 80

/* clang-format off */
static const char *const with_value[] = {
    "--allowed-headers", "--allowed-methods", "--allowed-origins", "--api-key", "--api-server-count",
    "--attention-backend", "--base-gpu-id", "--block-size", "--calculate-kv-scales", "--chat-template",
    "--chat-template-content-format", "--chunked-prefill-size", "--code-revision", "--compilation-config",
    "--config", "--config-format", "--cpu-offload-gb", "--cuda-graph-max-bs", "--data-parallel-address",
    "--data-parallel-backend", "--data-parallel-rpc-port", "--data-parallel-size", "--data-parallel-size-local",
    "--decode-context-parallel-size", "--device", "--dist-init-addr", "--distributed-executor-backend",
    "--download-dir", "--dp-size", "--dtype", "--generation-config", "--gpu-memory-utilization",
    "--guided-decoding-backend", "--hf-config-path", "--hf-overrides", "--hf-token", "--ignore-patterns",
    "--kv-cache-dtype", "--kv-cache-memory-bytes", "--kv-events-config", "--kv-transfer-config",
    "--limit-mm-per-prompt", "--load-format", "--log-level", "--logits-processors", "--logprobs-mode",
    "--lora-dtype", "--lora-extra-vocab-size", "--max-log-len", "--max-logprobs", "--max-long-partial-prefills",
    "--max-lora-rank", "--max-num-batched-tokens", "--max-num-partial-prefills", "--max-parallel-loading-workers",
    "--max-prefill-tokens", "--max-seq-len-to-capture", "--max-total-tokens", "--mem-fraction-static",
    "--middleware", "--mm-processor-cache-gb", "--mm-processor-kwargs", "--model-impl",
    "--model-loader-extra-config", "--nnodes", "--node-rank", "--num-gpu-blocks-override", "--num-lookahead-slots",
    "--num-scheduler-steps", "--otlp-traces-endpoint", "--override-generation-config", "--page-size",
    "--pipeline-parallel-size", "--pp-size", "--prefix-caching-hash-algo", "--quantization",
    "--ray-workers-use-nsight", "--reasoning-parser", "--response-role", "--revision", "--root-path",
    "--rope-scaling", "--rope-theta", "--runner", "--safetensors-load-strategy", "--sampling-backend",
    "--schedule-conservativeness", "--schedule-policy", "--scheduling-policy", "--speculative-config",
    "--ssl-ca-certs", "--ssl-cert-reqs", "--ssl-certfile", "--ssl-keyfile", "--stream-interval",
    "--structured-outputs-config", "--swap-space", "--task", "--tensor-parallel-size", "--tokenizer",
    "--tokenizer-mode", "--tokenizer-path", "--tokenizer-revision", "--tool-call-parser", "--tool-parser-plugin",
    "--tp", "--tp-size", "--uds", "--uvicorn-log-level", "--watchdog-timeout", "--worker-cls", "-O", "-dp", "-dpl",
    "-pp", "-q", "-tp",
};

static const char *const switches[] = {
    "--allow-credentials", "--async-scheduling", "--disable-cascade-attn", "--disable-chunked-mm-input",
    "--disable-cuda-graph", "--disable-custom-all-reduce", "--disable-fastapi-docs",
    "--disable-frontend-multiprocessing", "--disable-hybrid-kv-cache-manager", "--disable-log-requests",
    "--disable-log-stats", "--disable-overlap-schedule", "--disable-radix-cache", "--disable-sliding-window",
    "--disable-uvicorn-access-log", "--enable-auto-tool-choice", "--enable-chunked-prefill",
    "--enable-dp-attention", "--enable-ep-moe", "--enable-eplb", "--enable-expert-parallel",
    "--enable-force-include-usage", "--enable-log-outputs", "--enable-log-requests", "--enable-lora-bias",
    "--enable-metrics", "--enable-mixed-chunk", "--enable-prefix-caching", "--enable-prompt-embeds",
    "--enable-prompt-tokens-details", "--enable-reasoning", "--enable-request-id-headers",
    "--enable-server-load-tracking", "--enable-sleep-mode", "--enable-ssl-refresh",
    "--enable-tokenizer-info-endpoint", "--enable-torch-compile", "--enforce-eager", "--fully-sharded-loras",
    "--headless", "--multi-step-stream-outputs", "--return-tokens-as-token-ids",
    "--show-hidden-metrics-for-version", "--skip-mm-profiling", "--skip-server-warmup", "--skip-tokenizer-init",
    "--trust-remote-code", "--use-tqdm-on-load", "--use-v2-block-manager",
};
/* clang-format on */

static bool is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool ignored_flag_takes_value(const char *name)
{
    return is_listed(with_value, ARRAY_LEN(with_value), name);
}

bool ignored_flag_is_switch(const char *name)
{
    char positive[MAX_NAME_LEN];
    if (is_listed(switches, ARRAY_LEN(switches), name))
        return true;
    if (strncmp(name, "--no-", 5) != 0)
        return false;
    snprintf(positive, sizeof positive, "--%s", name + 5);
    return is_listed(switches, ARRAY_LEN(switches), positive);
}
