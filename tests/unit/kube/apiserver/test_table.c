/* SPDX-License-Identifier: Apache-2.0 */
/* test_table.c: the frame of Tables, and the cells of every kind. */
#include "unit/kube/apiserver/tree.h"

#include "base/compiler.h"
#include "kube/apiserver/table.h"

/* 2026-01-02T03:04:05Z and an age of 4m32s. */
#define CREATED "2026-01-02T03:04:05Z"
#define NOW_MS  (INT64_C(1767323045000) + 272000)
#define META    "'metadata':{'name':'x','namespace':'default','creationTimestamp':'" CREATED "'}"

static const struct api_resource *resource_named(const char *api_version, const char *kind)
{
    const struct api_resource *resource = resource_find_kind(bytes_of(api_version), bytes_of(kind));
    assert_non_null(resource);
    return resource;
}

static json_t *table_of(const struct table_options *options, const char *object)
{
    struct buffer out = {0};
    json_t *tree = tree_of(object);
    const json_t *trees[] = {tree};
    table_write(options, trees, 1, &out);
    json_decref(tree);
    return tree_written(&out);
}

/* The cells of one row; the columns of the kind must be as many. */
static void expect_cells(const char *api_version, const char *kind, const char *object, const char *cells)
{
    struct table_options options = {.resource = resource_named(api_version, kind), .now_ms = NOW_MS, .version = 7};
    json_t *table = table_of(&options, object);
    expect_at(table, "rows 0 cells", cells);
    assert_int_equal(json_array_size(tree_at(table, "rows 0 cells")),
                     json_array_size(json_object_get(table, "columnDefinitions")));
    json_decref(table);
}

/* Names of columns in their order, wide ones in brackets. */
static void expect_columns(const char *api_version, const char *kind, const char *names)
{
    struct table_options options = {.resource = resource_named(api_version, kind)};
    struct buffer out = {0}, text = {0};
    table_write(&options, NULL, 0, &out);
    json_t *table = tree_written(&out);
    size_t i;
    json_t *column;
    expect_at(table, "rows", "[]");
    json_array_foreach(json_object_get(table, "columnDefinitions"), i, column)
    {
        bool is_wide = json_integer_value(json_object_get(column, "priority")) == 1;
        buffer_printf(&text, is_wide ? "%s[%s]" : "%s%s", i > 0 ? "," : "",
                      json_string_value(json_object_get(column, "name")));
        assert_true(json_is_string(json_object_get(column, "description")));
    }
    buffer_append_char(&text, '\0');
    assert_string_equal(buffer_bytes(&text).data, names);
    buffer_deinit(&text);
    json_decref(table);
}

#define GATEWAY_V1 "gateway.networking.k8s.io/v1"

static void a_table_has_columns_rows_and_metadata(void **state)
{
    (void)state;
    struct table_options options = {
        .resource = resource_named(GATEWAY_V1, "ReferenceGrant"), .now_ms = NOW_MS, .version = 18446744073709551615u};
    json_t *table = table_of(&options, "{" META ",'spec':{}}");
    expect_at(table, "kind", "'Table'");
    expect_at(table, "apiVersion", "'meta.k8s.io/v1'");
    expect_at(table, "metadata", "{'resourceVersion':'18446744073709551615'}");
    expect_at(table, "columnDefinitions 0 name", "'Name'");
    expect_at(table, "columnDefinitions 0 type", "'string'");
    expect_at(table, "columnDefinitions 0 format", "'name'");
    expect_at(table, "columnDefinitions 0 priority", "0");
    expect_at(table, "columnDefinitions 1 name", "'Age'");
    expect_at(table, "rows 0",
              "{'cells':['x','4m32s'],'object':{'kind':'PartialObjectMetadata','apiVersion':'meta.k8s.io/v1'," META
              "}}");
    json_decref(table);
}

static void a_list_that_goes_on_says_so(void **state)
{
    (void)state;
    struct table_options options = {
        .resource = resource_named("v1", "ConfigMap"), .version = 7, .continue_token = "t\"1", .remaining = 3};
    json_t *table = table_of(&options, "{}");
    expect_at(table, "metadata resourceVersion", "'7'");
    assert_string_equal(json_string_value(tree_at(table, "metadata continue")), "t\"1");
    expect_at(table, "metadata remainingItemCount", "3");
    json_decref(table);
}

static void rows_carry_what_was_asked_for(void **state)
{
    (void)state;
    struct table_options options = {.resource = resource_named(GATEWAY_V1, "HTTPRoute"), .now_ms = NOW_MS};
    const char *object = "{'apiVersion':'gateway.networking.k8s.io/v1beta1','kind':'HTTPRoute'," META
                         ",'spec':{'hostnames':['a']},'status':{'n':1.50}}";
    assert_true(table_include_find(BYTES("None"), &options.include));
    json_t *table = table_of(&options, object);
    expect_nothing_at(table, "rows 0 object");
    json_decref(table);

    assert_true(table_include_find(BYTES("Object"), &options.include));
    table = table_of(&options, object);
    expect_at(table, "rows 0 object",
              "{'apiVersion':'" GATEWAY_V1 "','kind':'HTTPRoute'," META
              ",'spec':{'hostnames':['a']},'status':{'n':1.5}}");
    json_decref(table);

    assert_true(table_include_find(BYTES(""), &options.include));
    table = table_of(&options, object);
    expect_at(table, "rows 0 object kind", "'PartialObjectMetadata'");
    json_decref(table);
    assert_false(table_include_find(BYTES("metadata"), &options.include));
}

static void the_stored_text_of_an_object_is_used_as_it_is(void **state)
{
    (void)state;
    struct table_options options = {.resource = resource_named("v1", "ConfigMap"), .include = TABLE_INCLUDE_OBJECT};
    struct table_writer table;
    struct buffer out = {0};
    json_t *tree = tree_of("{" META ",'data':{'a':'b'}}");
    table_begin(&table, &options, &out);
    table_row(&table, tree, BYTES("\"metadata\":{\"name\":\"x\"},\"data\":{\"n\":8000.00}}"));
    table_row(&table, tree, BYTES(""));
    table_end(&table);
    const char *text = "\"object\":{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\"},"
                       "\"data\":{\"n\":8000.00}}}";
    assert_non_null(memmem(buffer_bytes(&out).data, buffer_len(&out), text, strlen(text)));
    json_t *written = tree_written(&out);
    expect_at(written, "rows 1 object data", "{'a':'b'}");
    json_decref(written);
    json_decref(tree);
}

static void later_events_of_a_watch_have_no_columns(void **state)
{
    (void)state;
    struct table_options options = {.resource = resource_named("v1", "Pod"), .without_columns = true};
    json_t *table = table_of(&options, "{" META "}");
    expect_nothing_at(table, "columnDefinitions");
    expect_at(table, "rows 0 cells 0", "'x'");
    json_decref(table);
}

/* Objects nest deeper than the JSON writer counts. */
static void deep_objects_fit_into_rows(void **state)
{
    (void)state;
    struct table_options options = {.resource = resource_named("v1", "Pod"), .include = TABLE_INCLUDE_OBJECT};
    struct buffer out = {0};
    json_t *tree = json_object();
    for (unsigned i = 0; i < 100; i++)
        tree = json_pack("{s:o}", "spec", tree);
    const json_t *trees[] = {tree};
    table_write(&options, trees, 1, &out);
    json_decref(tree_written(&out));
    json_decref(tree);
}

static void every_kind_has_the_columns_that_kubectl_users_know(void **state)
{
    (void)state;
    expect_columns("v1", "Namespace", "Name,Status,Age");
    expect_columns("v1", "ConfigMap", "Name,Data,Age");
    expect_columns("v1", "Secret", "Name,Type,Data,Age");
    expect_columns("v1", "ServiceAccount", "Name,Secrets,Age");
    expect_columns("v1", "Service", "Name,Type,Cluster-IP,External-IP,Port(s),Age,[Selector]");
    expect_columns("v1", "Pod", "Name,Ready,Status,Restarts,Age,[IP],[Node],[Nominated Node],[Readiness Gates]");
    expect_columns("v1", "Event",
                   "Last Seen,Type,Reason,Object,[Subobject],[Source],Message,[First Seen],[Count],[Name]");
    expect_columns("events.k8s.io/v1", "Event",
                   "Last Seen,Type,Reason,Object,[Subobject],[Source],Message,[First Seen],[Count],[Name]");
    expect_columns("apps/v1", "Deployment", "Name,Ready,Up-to-date,Available,Age,[Containers],[Images],[Selector]");
    expect_columns("apps/v1", "ReplicaSet", "Name,Desired,Current,Ready,Age,[Containers],[Images],[Selector]");
    expect_columns("coordination.k8s.io/v1", "Lease", "Name,Holder,Age");
    expect_columns("discovery.k8s.io/v1", "EndpointSlice", "Name,AddressType,Ports,Endpoints,Age");
    expect_columns(GATEWAY_V1, "GatewayClass", "Name,Controller,Accepted,Age,[Description]");
    expect_columns(GATEWAY_V1, "Gateway", "Name,Class,Address,Programmed,Age");
    expect_columns(GATEWAY_V1, "HTTPRoute", "Name,Hostnames,Age");
    expect_columns("inference.networking.x-k8s.io/v1alpha2", "InferenceModel",
                   "Name,Model Name,Inference Pool,Criticality,Age");
    expect_columns("inference.networking.x-k8s.io/v1alpha2", "InferencePool", "Name,Age");
    expect_columns("inference.networking.k8s.io/v1", "InferencePool", "Name,Age");
    expect_columns("llm-d.ai/v1alpha2", "InferenceModelRewrite", "Name,Inference Pool,Age");
    expect_columns("llm-d.ai/v1alpha2", "InferenceObjective", "Name,Inference Pool,Priority,Age");
    expect_columns("serin.dev/v1alpha1", "Canary",
                   "Name,Target,Phase,Step,Weight,Achieved,Verdict,Reason,Age,[Stable],[Canary],[Message]");
    expect_columns("gateway.envoyproxy.io/v1alpha1", "BackendTrafficPolicy", "Name,Age");
}

static void cells_of_custom_resources_are_null_where_nothing_is(void **state)
{
    (void)state;
    expect_cells(GATEWAY_V1, "GatewayClass",
                 "{" META ",'spec':{'controllerName':'c/d','description':'for all'},"
                 "'status':{'conditions':[{'type':'Other','status':'False'},{'type':'Accepted','status':'True'}]}}",
                 "['x','c/d','True','4m32s','for all']");
    expect_cells(GATEWAY_V1, "GatewayClass", "{}", "['',null,null,'<unknown>',null]");
    expect_cells(GATEWAY_V1, "Gateway",
                 "{" META ",'spec':{'gatewayClassName':'c'},'status':{'addresses':[{'value':'127.0.0.1'},"
                 "{'value':'127.0.0.2'}],'conditions':[{'type':'Programmed','status':'False'}]}}",
                 "['x','c','127.0.0.1','False','4m32s']");
    expect_cells(GATEWAY_V1, "Gateway", "{" META ",'spec':{},'status':{'addresses':[]}}",
                 "['x',null,null,null,'4m32s']");
    expect_cells(GATEWAY_V1, "HTTPRoute", "{" META ",'spec':{'hostnames':null}}", "['x',null,'4m32s']");
    struct table_options options = {.resource = resource_named(GATEWAY_V1, "HTTPRoute")};
    json_t *table = table_of(&options, "{" META ",'spec':{'hostnames':['a.b','*.c']}}");
    assert_string_equal(json_string_value(tree_at(table, "rows 0 cells 1")), "[\"a.b\",\"*.c\"]");
    json_decref(table);
    expect_cells("inference.networking.x-k8s.io/v1alpha2", "InferenceModel",
                 "{" META ",'spec':{'modelName':'m','poolRef':{'name':'p'},'criticality':'Critical'}}",
                 "['x','m','p','Critical','4m32s']");
}

static void small_kinds_count_and_name_what_they_hold(void **state)
{
    (void)state;
    expect_cells("v1", "Namespace", "{" META ",'status':{'phase':'Active'}}", "['x','Active','4m32s']");
    expect_cells("v1", "ConfigMap", "{" META ",'data':{'a':'b','c':'d'},'binaryData':{'e':'Zg=='}}", "['x',3,'4m32s']");
    expect_cells("v1", "ConfigMap", "{" META "}", "['x',0,'4m32s']");
    expect_cells("v1", "Secret", "{" META ",'type':'Opaque','data':{'a':'Yg=='}}", "['x','Opaque',1,'4m32s']");
    expect_cells("v1", "ServiceAccount", "{" META ",'secrets':[{},{}]}", "['x',2,'4m32s']");
    expect_cells("coordination.k8s.io/v1", "Lease", "{" META ",'spec':{'holderIdentity':'me'}}", "['x','me','4m32s']");
}

static void services_show_their_addresses_and_ports(void **state)
{
    (void)state;
    expect_cells("v1", "Service",
                 "{" META ",'spec':{'type':'ClusterIP','clusterIP':'10.0.0.1','selector':{'b':'2','a':'1'},"
                 "'ports':[{'port':80,'protocol':'TCP'},{'port':53,'protocol':'UDP','nodePort':30053},{'port':9}]}}",
                 "['x','ClusterIP','10.0.0.1','<none>','80/TCP,53:30053/UDP,9/TCP','4m32s','a=1,b=2']");
    expect_cells("v1", "Service", "{" META ",'spec':{'type':'LoadBalancer'}}",
                 "['x','LoadBalancer','<none>','<pending>','<none>','4m32s','<none>']");
    expect_cells("v1", "Service",
                 "{" META ",'spec':{'type':'LoadBalancer','externalIPs':['9.9.9.9']},"
                 "'status':{'loadBalancer':{'ingress':[{'ip':'1.2.3.4'},{'hostname':'lb.example'}]}}}",
                 "['x','LoadBalancer','<none>','1.2.3.4,lb.example,9.9.9.9','<none>','4m32s','<none>']");
    expect_cells("v1", "Service", "{" META ",'spec':{'type':'ExternalName','externalName':'db.example'}}",
                 "['x','ExternalName','<none>','db.example','<none>','4m32s','<none>']");
}

static void slices_show_three_and_count_the_rest(void **state)
{
    (void)state;
    expect_cells("discovery.k8s.io/v1", "EndpointSlice",
                 "{" META ",'addressType':'IPv4','ports':[{'port':1},{'name':'http'},{},{'port':4}],'endpoints':"
                 "[{'addresses':['10.0.0.1','10.0.0.2']},{'addresses':['10.0.0.3','10.0.0.4','10.0.0.5']}]}",
                 "['x','IPv4','1,http,* + 1 more...','10.0.0.1,10.0.0.2,10.0.0.3 + 2 more...','4m32s']");
    expect_cells("discovery.k8s.io/v1", "EndpointSlice", "{" META ",'addressType':'IPv6','endpoints':null}",
                 "['x','IPv6','<unset>','<unset>','4m32s']");
}

static void workloads_show_how_far_they_are(void **state)
{
    (void)state;
    expect_cells("apps/v1", "Deployment",
                 "{" META ",'spec':{'replicas':3,'selector':{'matchLabels':{'b':'2','a':'1'},'matchExpressions':"
                 "[{'key':'t','operator':'In','values':['x','y']},{'key':'u','operator':'NotIn','values':['z']},"
                 "{'key':'v','operator':'Exists'},{'key':'w','operator':'DoesNotExist'}]},"
                 "'template':{'spec':{'containers':[{'name':'c','image':'i:1'},{'name':'d','image':'j'}]}}},"
                 "'status':{'readyReplicas':1,'updatedReplicas':2,'availableReplicas':1}}",
                 "['x','1/3',2,1,'4m32s','c,d','i:1,j','a=1,b=2,t in (x,y),u notin (z),v,!w']");
    /* replicas defaults to 1. */
    expect_cells("apps/v1", "Deployment", "{" META ",'spec':{}}", "['x','0/1',0,0,'4m32s','<none>','<none>','<none>']");
    expect_cells("apps/v1", "ReplicaSet", "{" META ",'spec':{'replicas':0},'status':{'replicas':2,'readyReplicas':1}}",
                 "['x',0,2,1,'4m32s','<none>','<none>','<none>']");
}

static void a_scale_has_columns_of_its_own(void **state)
{
    (void)state;
    struct table_options options = {.resource = resource_named("apps/v1", "Deployment"),
                                    .is_scale = true,
                                    .include = TABLE_INCLUDE_OBJECT,
                                    .now_ms = NOW_MS};
    json_t *table = table_of(&options, "{" META ",'spec':{'replicas':3},'status':{'replicas':2}}");
    expect_at(table, "columnDefinitions 1 name", "'Desired'");
    expect_at(table, "columnDefinitions 2 name", "'Available'");
    expect_at(table, "rows 0 cells", "['x',3,2,'4m32s']");
    expect_at(table, "rows 0 object kind", "'Scale'");
    expect_at(table, "rows 0 object apiVersion", "'autoscaling/v1'");
    json_decref(table);
}

#define POD_CELLS(ready, status, restarts)                                                                             \
    "['x','" ready "','" status "','" restarts "','4m32s','<none>','<none>','<none>','<none>']"
#define POD(spec, status)          "{" META ",'spec':{'containers':[{'name':'c'}" spec "},'status':{" status "}}"
#define ONE_CONTAINER(ready, more) "'containerStatuses':[{'name':'c','ready':" ready "," more "}]"

static void pods_show_what_their_containers_say(void **state)
{
    (void)state;
    static const struct {
        const char *object, *cells;
    } cases[] = {
        {POD("]", "'phase':'Pending'"), POD_CELLS("0/1", "Pending", "0")},
        {POD("]", "'phase':'Running'," ONE_CONTAINER("true", "'restartCount':0,'state':{'running':{}}")),
         POD_CELLS("1/1", "Running", "0")},
        {POD("]", "'phase':'Running'," ONE_CONTAINER("false", "'restartCount':2,'state':{'waiting':{'reason':"
                                                              "'CrashLoopBackOff'}},'lastState':{'terminated':"
                                                              "{'finishedAt':'2026-01-02T03:07:37Z'}}")),
         POD_CELLS("0/1", "CrashLoopBackOff", "2 (60s ago)")},
        {POD("]", "'phase':'Failed'," ONE_CONTAINER("false", "'state':{'terminated':{'reason':'Error'}}")),
         POD_CELLS("0/1", "Error", "0")},
        {POD("]", "'phase':'Failed'," ONE_CONTAINER("false", "'state':{'terminated':{'exitCode':3}}")),
         POD_CELLS("0/1", "ExitCode:3", "0")},
        {POD("]", "'phase':'Failed'," ONE_CONTAINER("false", "'state':{'terminated':{'exitCode':0,'signal':9}}")),
         POD_CELLS("0/1", "Signal:9", "0")},
        {POD("]", "'phase':'Failed','reason':'Evicted'"), POD_CELLS("0/1", "Evicted", "0")},
        {POD("]", "'phase':'Pending','conditions':[{'type':'PodScheduled','reason':'SchedulingGated'}]"),
         POD_CELLS("0/1", "SchedulingGated", "0")},
        {POD(",{'name':'d'}]",
             "'phase':'Running','conditions':[{'type':'Ready','status':'False'}],'containerStatuses':["
             "{'name':'c','ready':false,'state':{'terminated':{'reason':'Completed'}}},"
             "{'name':'d','ready':true,'state':{'running':{}}}]"),
         POD_CELLS("1/2", "NotReady", "0")},
        {POD("],'initContainers':[{'name':'i'},{'name':'j'}]",
             "'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':0}}},"
             "{'name':'j','restartCount':1,'state':{'running':{}}}]"),
         POD_CELLS("0/1", "Init:1/2", "1")},
        {POD("],'initContainers':[{'name':'i'}]",
             "'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'terminated':{'exitCode':1}}}]"),
         POD_CELLS("0/1", "Init:ExitCode:1", "0")},
        {POD("],'initContainers':[{'name':'i'}]",
             "'phase':'Pending','initContainerStatuses':[{'name':'i','state':{'waiting':{'reason':'ErrImagePull'}}}]"),
         POD_CELLS("0/1", "Init:ErrImagePull", "0")},
        {POD("],'initContainers':[{'name':'i','restartPolicy':'Always'}]",
             "'phase':'Running','initContainerStatuses':[{'name':'i','started':true,'ready':true,'state':{'running':"
             "{}}}]," ONE_CONTAINER("true", "'state':{'running':{}}")),
         POD_CELLS("2/2", "Running", "0")},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_cells("v1", "Pod", cases[i].object, cases[i].cells);
}

static void a_pod_that_ends_says_so(void **state)
{
    (void)state;
    const char *ending = "{'metadata':{'name':'x','creationTimestamp':'" CREATED "','deletionTimestamp':'" CREATED
                         "'},'spec':{'containers':[{}]},'status':{'phase':'Running'}}";
    expect_cells("v1", "Pod", ending, POD_CELLS("0/1", "Terminating", "0"));
}

static void wide_pods_show_where_they_are(void **state)
{
    (void)state;
    expect_cells("v1", "Pod",
                 "{" META ",'spec':{'containers':[],'nodeName':'n1','readinessGates':[{'conditionType':'a'},"
                 "{'conditionType':'b'}]},'status':{'phase':'Running','podIP':'127.0.1.2','nominatedNodeName':'n2',"
                 "'conditions':[{'type':'a','status':'True'},{'type':'b','status':'False'}]}}",
                 "['x','0/0','Running','0','4m32s','127.0.1.2','n1','n2','1/2']");
}

static void events_are_read_in_both_vocabularies(void **state)
{
    (void)state;
    expect_cells("v1", "Event",
                 "{" META ",'type':'Normal','reason':'Scaled','message':'up \\n','count':4,"
                 "'involvedObject':{'kind':'Deployment','name':'q','fieldPath':'spec'},"
                 "'firstTimestamp':'" CREATED "','lastTimestamp':'2026-01-02T03:08:32Z',"
                 "'source':{'component':'dc','host':'n1'}}",
                 "['5s','Normal','Scaled','deployment/q','spec','dc, n1','up','4m32s',4,'x']");
    expect_cells("events.k8s.io/v1", "Event",
                 "{" META ",'type':'Warning','reason':'R','note':'n','regarding':{'kind':'Pod','name':'p'},"
                 "'eventTime':'2026-01-02T03:08:07.000001Z','reportingController':'kubelet','reportingInstance':'n1'}",
                 "['30s','Warning','R','pod/p','','kubelet, n1','n','30s',1,'x']");
    expect_cells("events.k8s.io/v1", "Event",
                 "{" META ",'series':{'count':9,'lastObservedTime':'2026-01-02T03:08:36Z'},"
                 "'deprecatedFirstTimestamp':'" CREATED "','deprecatedLastTimestamp':'" CREATED "',"
                 "'deprecatedCount':2,'deprecatedSource':{'component':'old'},'reportingController':'new'}",
                 "['1s','','','','','old','','4m32s',9,'x']");
    expect_cells("v1", "Event", "{}", "['<unknown>','','','','','','','<unknown>',1,'']");
}

/* Users can store anything in kinds that keep unknown fields. */
static void canaries_show_how_far_they_are(void **state)
{
    (void)state;
    expect_cells("serin.dev/v1alpha1", "Canary",
                 "{" META ",'spec':{'targetRef':{'kind':'HTTPRoute','name':'chat'},'canary':'green'}}",
                 "['x','HTTPRoute/chat','','','','','','','4m32s','','green','']");
    expect_cells(
        "serin.dev/v1alpha1", "Canary",
        "{" META ",'spec':{'targetRef':{'kind':'InferenceModel','name':'chat'},'stable':'v1','canary':'v2'},"
        "'status':{'phase':'Progressing','reason':'HoldTime','message':'2m to go','step':{'index':2,'count':4},"
        "'share':{'targetPercent':25,'requestsPercent':24.8},'verdict':{'result':'pass'}}}",
        "['x','InferenceModel/chat','Progressing','2/4','25%','24.8%','pass','HoldTime','4m32s','v1','v2',"
        "'2m to go']");
    expect_cells(
        "serin.dev/v1alpha1", "Canary",
        "{" META ",'spec':{'targetRef':{'kind':'HTTPRoute','name':'chat'},'canary':'green'},"
        "'status':{'phase':7,'step':{'index':0,'count':4},'share':{'targetPercent':0,'requestsPercent':1e99}}}",
        "['x','HTTPRoute/chat','','0/4','0%','','','','4m32s','','green','']");
}

static void wrong_types_count_as_absent(void **state)
{
    (void)state;
    static const char *const objects[] = {
        "{'metadata':'x','spec':[],'status':7}",
        "{'metadata':{'name':7,'creationTimestamp':'soon'},'spec':{'ports':{},'selector':{'a':1},'replicas':'2'},"
        "'status':{'conditions':[7,[],null],'containerStatuses':[7,{}],'addresses':{}}}",
        "{'spec':{'ports':[7],'containers':[7],'template':{'spec':{'containers':[7]}},'selector':7},'data':[],"
        "'endpoints':[7,{'addresses':[7]}],'ports':[7],'secrets':{}}",
    };
    struct api_resources all = resource_all();
    for (size_t i = 0; i < all.len; i++) {
        for (size_t j = 0; j < ARRAY_LEN(objects); j++) {
            struct table_options options = {.resource = &all.items[i], .include = TABLE_INCLUDE_OBJECT};
            json_t *table = table_of(&options, objects[j]);
            assert_int_equal(json_array_size(tree_at(table, "rows 0 cells")),
                             json_array_size(json_object_get(table, "columnDefinitions")));
            json_decref(table);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_columns_rows_and_metadata),
        cmocka_unit_test(a_list_that_goes_on_says_so),
        cmocka_unit_test(rows_carry_what_was_asked_for),
        cmocka_unit_test(the_stored_text_of_an_object_is_used_as_it_is),
        cmocka_unit_test(later_events_of_a_watch_have_no_columns),
        cmocka_unit_test(deep_objects_fit_into_rows),
        cmocka_unit_test(every_kind_has_the_columns_that_kubectl_users_know),
        cmocka_unit_test(cells_of_custom_resources_are_null_where_nothing_is),
        cmocka_unit_test(small_kinds_count_and_name_what_they_hold),
        cmocka_unit_test(services_show_their_addresses_and_ports),
        cmocka_unit_test(slices_show_three_and_count_the_rest),
        cmocka_unit_test(workloads_show_how_far_they_are),
        cmocka_unit_test(a_scale_has_columns_of_its_own),
        cmocka_unit_test(pods_show_what_their_containers_say),
        cmocka_unit_test(a_pod_that_ends_says_so),
        cmocka_unit_test(wide_pods_show_where_they_are),
        cmocka_unit_test(events_are_read_in_both_vocabularies),
        cmocka_unit_test(canaries_show_how_far_they_are),
        cmocka_unit_test(wrong_types_count_as_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
