/* SPDX-License-Identifier: Apache-2.0 */
/* call.h: one request to the API while it is worked on, and how it is answered.  Internal to kube/apiserver.
 *
 * A call lives in its exchange's arena.  It ends once: by an answer that was sent whole, or because the client left.
 * Whatever a call holds elsewhere (a write on its way to the disk, a watch, a followed log) hangs on one of the members
 * below and is let go by call_release(). */
#ifndef KUBE_APISERVER_CALL_H
#define KUBE_APISERVER_CALL_H

#include "kube/apiserver/apiserver.h"
#include "kube/apiserver/change.h"
#include "kube/apiserver/negotiate.h"
#include "kube/apiserver/selectors.h"
#include "kube/apiserver/table.h"
#include "kube/apiserver/target.h"

struct watch;
struct log_stream;

struct api_call {
    struct apiserver *server;
    struct exchange *exchange;
    struct arena *arena;
    struct target target;
    struct selection selection;
    enum answer_form form;
    struct buffer body; /* of the request */
    struct failure failure;
    struct change change; /* of a write; change.write is `write` */
    struct store_write write;
    unsigned success_status;
    void (*answer_success)(struct api_call *call); /* when the write is durable */
    bool is_writing;                               /* on its way to the disk */
    struct buffer list;                            /* of a deleted collection, until the disk has it */
    struct buffer answer;                          /* what of the answer has not been sent */
    size_t answer_bytes;                           /* counted against the server's budget */
    struct watch *watch;
    struct log_stream *log;
};

struct apiserver {
    struct reactor *reactor;
    struct apiserver_config config;
    struct credentials *credentials;
    struct tls_server *tls;
    struct listen_socket *socket;
    struct listener *listener;
    struct http_server *http;
    struct openapi *openapi;
    struct list watches; /* of all calls */
    struct list logs;
    unsigned watch_count;
    size_t body_bytes;
    size_t answer_bytes;
};

/* apiserver.c */
void call_release(struct api_call *call);
/* For /metrics: status goes out as the answer. */
void count_answer(struct api_call *call, unsigned status);
void count_watches(struct apiserver *server, int delta);
void count_expired_watch(struct apiserver *server);

/* answers.c: each ends the call. */
void answer_failure(struct api_call *call);
/* body is taken over (left empty). */
void answer_json(struct api_call *call, unsigned status, struct buffer *body);
void answer_body(struct api_call *call, unsigned status, const char *content_type, struct buffer *body);
/* In the form that the client asked for. */
void answer_stored(struct api_call *call, unsigned status, const struct stored *stored);
void answer_object(struct api_call *call, unsigned status, const struct kube_object *object);
void answer_tree(struct api_call *call, unsigned status, json_t *tree);
/* Sends what there is room for; finishes when all of a finite answer is out. */
void answer_continue(struct api_call *call);
/* For the form ANSWER_TABLE. */
struct table_options table_options_of(const struct api_call *call, uint64_t version);
void write_row(const struct api_resource *resource, const struct stored *stored, struct table_writer *table);
/* A stored object as JSON in the words of the resource's version. */
void write_stored(const struct api_resource *resource, const struct stored *stored, struct buffer *out);
void write_object(const struct api_resource *resource, const struct kube_object *object, struct buffer *out);
/* The same as a tree of its own, to be patched. */
json_t *object_tree(const struct api_resource *resource, const struct kube_object *object);

/* pages.c */
void answer_static(struct api_call *call);

/* reads.c */
bool read_selection(struct api_call *call);
void read_one(struct api_call *call);
void read_list(struct api_call *call);

/* writes.c */
void write_create(struct api_call *call);
void write_replace(struct api_call *call);
void write_patch(struct api_call *call);
/* The request's body as a tree (JSON, YAML or protobuf by its Content-Type); NULL: call->failure. */
json_t *read_body(struct api_call *call);
/* Prepares call->change; then the caller makes the change and calls finish_write(). */
void begin_write(struct api_call *call);
/* Answers now (failed, dry run, nothing to do) or when the disk has it. */
void finish_write(struct api_call *call, void (*answer_success)(struct api_call *call));
/* The usual success: the object as it is now, with call->success_status. */
void answer_write(struct api_call *call);

/* deletes.c */
void delete_one(struct api_call *call);
void delete_collection(struct api_call *call);

/* scale.c */
void read_scale(struct api_call *call);
void write_scale(struct api_call *call);

/* reviews.c */
void review_create(struct api_call *call);

/* watches.c */
void watch_start(struct api_call *call);
void watch_can_send(struct watch *watch);
void watch_stop(struct watch *watch); /* frees; says nothing to the client */
/* Ends them all cleanly. */
void watches_end(struct apiserver *server);

/* pod_log.c */
void log_start(struct api_call *call);
void log_can_send(struct log_stream *log);
void log_stop(struct log_stream *log);
void logs_end(struct apiserver *server);

#endif
