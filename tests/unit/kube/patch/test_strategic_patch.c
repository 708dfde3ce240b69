/* SPDX-License-Identifier: Apache-2.0 */
/* test_strategic_patch.c: what kubectl sends for built-in kinds, directive by directive. */
#include "unit/kube/patch/support.h"

#include "kube/patch/strategic_patch.h"

static void check_result(const char *kind, const char *target_text, const char *patch_text, const char *expected)
{
    struct guarded target = guard(target_text), patch = guard(patch_text);
    char error[300] = "";
    json_t *result = strategic_patch(target.tree, patch.tree, kind, error);
    if (result == NULL)
        fail_msg("%s: %s", patch_text, error);
    assert_tree(result, expected);
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void check_error(const char *kind, const char *target_text, const char *patch_text, const char *expected)
{
    struct guarded target = guard(target_text), patch = guard(patch_text);
    char error[300] = "";
    assert_null(strategic_patch(target.tree, patch.tree, kind, error));
    assert_string_equal(error, expected);
    unguard(&target);
    unguard(&patch);
}

/* ---- as recorded from kubectl ---- */

static void a_service_port_is_exchanged(void **state)
{
    (void)state;
    check_result(
        "Service",
        "{'spec':{'ports':[{'name':'http','port':8000,'protocol':'TCP','targetPort':8000}],'type':'ClusterIP'}}",
        "{'spec':{'$setElementOrder/ports':[{'port':8001}],'ports':[{'name':'http-serving','port':8001,"
        "'protocol':'TCP','targetPort':8000},{'$patch':'delete','port':8000}]}}",
        "{'spec':{'ports':[{'name':'http-serving','port':8001,'protocol':'TCP','targetPort':8000}],"
        "'type':'ClusterIP'}}");
}

static void a_deployment_changes_strategy_image_and_ports(void **state)
{
    (void)state;
    check_result("Deployment",
                 "{'spec':{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}},'template':{'spec':{"
                 "'containers':[{'name':'custom-serving','image':'a','env':[{'name':'X','value':'1'}],"
                 "'ports':[{'containerPort':8000},{'containerPort':9000}]}]}}}}",
                 "{'spec':{'strategy':{'$retainKeys':['type'],'rollingUpdate':null,'type':'Recreate'},'template':{"
                 "'spec':{'$setElementOrder/containers':[{'name':'custom-serving'}],'containers':[{"
                 "'$setElementOrder/ports':[{'containerPort':8000}],'env':null,'image':'b','name':'custom-serving',"
                 "'ports':[{'$patch':'delete','containerPort':9000}]}]}}}}",
                 "{'spec':{'strategy':{'type':'Recreate'},'template':{'spec':{'containers':[{'name':'custom-serving',"
                 "'image':'b','ports':[{'containerPort':8000}]}]}}}}");
}

static void a_volume_changes_its_source(void **state)
{
    (void)state;
    check_result("Deployment",
                 "{'spec':{'template':{'spec':{'volumes':[{'name':'dshm','hostPath':{'path':'/x'}},{'name':'other',"
                 "'emptyDir':{}}]}}}}",
                 "{'spec':{'template':{'spec':{'$setElementOrder/volumes':[{'name':'dshm'}],'volumes':[{"
                 "'$retainKeys':['emptyDir','name'],'emptyDir':{'sizeLimit':'30Gi'},'name':'dshm'}]}}}}",
                 "{'spec':{'template':{'spec':{'volumes':[{'name':'dshm','emptyDir':{'sizeLimit':'30Gi'}},{"
                 "'name':'other','emptyDir':{}}]}}}}");
}

static void a_restart_sets_an_annotation_of_the_template(void **state)
{
    (void)state;
    check_result("Deployment", "{'spec':{'template':{'metadata':{'labels':{'app':'x'}}}}}",
                 "{'spec':{'template':{'metadata':{'annotations':{'kubectl.kubernetes.io/restartedAt':'now'}}}}}",
                 "{'spec':{'template':{'metadata':{'labels':{'app':'x'},'annotations':{"
                 "'kubectl.kubernetes.io/restartedAt':'now'}}}}}");
}

/* ---- lists with keys ---- */

static void items_merge_by_the_key_that_their_place_asks_for(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *target, *patch, *expected;
    } cases[] = {
        {"Pod", "{'spec':{'containers':[{'name':'a','image':'1','tty':true}]}}",
         "{'spec':{'containers':[{'name':'a','image':'2'}]}}",
         "{'spec':{'containers':[{'name':'a','image':'2','tty':true}]}}"},
        {"Pod", "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':1,'name':'x'}]}]}}",
         "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':1,'hostPort':5}]}]}}",
         "{'spec':{'containers':[{'name':'a','ports':[{'containerPort':1,'name':'x','hostPort':5}]}]}}"},
        {"Pod", "{'spec':{'initContainers':[{'name':'a','volumeMounts':[{'mountPath':'/x','name':'v'}]}]}}",
         "{'spec':{'initContainers':[{'name':'a','volumeMounts':[{'mountPath':'/x','readOnly':true}]}]}}",
         "{'spec':{'initContainers':[{'name':'a','volumeMounts':[{'mountPath':'/x','name':'v','readOnly':true}]}]}}"},
        {"Pod", "{'spec':{'containers':[{'name':'a','volumeDevices':[{'devicePath':'/x','name':'v'}]}]}}",
         "{'spec':{'containers':[{'name':'a','volumeDevices':[{'devicePath':'/x','name':'w'}]}]}}",
         "{'spec':{'containers':[{'name':'a','volumeDevices':[{'devicePath':'/x','name':'w'}]}]}}"},
        {"Pod", "{'spec':{'hostAliases':[{'ip':'1.1.1.1','hostnames':['a']}]}}",
         "{'spec':{'hostAliases':[{'ip':'1.1.1.1','hostnames':['b']}]}}",
         "{'spec':{'hostAliases':[{'ip':'1.1.1.1','hostnames':['b']}]}}"},
        {"Pod", "{'spec':{'topologySpreadConstraints':[{'topologyKey':'zone','maxSkew':1}]}}",
         "{'spec':{'topologySpreadConstraints':[{'topologyKey':'zone','maxSkew':2}]}}",
         "{'spec':{'topologySpreadConstraints':[{'topologyKey':'zone','maxSkew':2}]}}"},
        {"Pod", "{'status':{'podIPs':[{'ip':'1'}],'conditions':[{'type':'Ready','status':'False','reason':'x'}]}}",
         "{'status':{'podIPs':[{'ip':'2'}],'conditions':[{'type':'Ready','status':'True'}]}}",
         "{'status':{'podIPs':[{'ip':'2'},{'ip':'1'}],'conditions':[{'type':'Ready','status':'True','reason':'x'}]}}"},
        {"ReplicaSet", "{'spec':{'template':{'spec':{'imagePullSecrets':[{'name':'a'}]}}}}",
         "{'spec':{'template':{'spec':{'imagePullSecrets':[{'name':'a'}]}}}}",
         "{'spec':{'template':{'spec':{'imagePullSecrets':[{'name':'a'}]}}}}"},
        {"ServiceAccount", "{'secrets':[{'name':'a'}]}", "{'secrets':[{'name':'b'}]}",
         "{'secrets':[{'name':'b'},{'name':'a'}]}"},
        {"Node", "{'status':{'addresses':[{'type':'Hostname','address':'a'}]}}",
         "{'status':{'addresses':[{'type':'Hostname','address':'b'}]}}",
         "{'status':{'addresses':[{'type':'Hostname','address':'b'}]}}"},
        {"ConfigMap", "{'metadata':{'ownerReferences':[{'uid':'1','name':'a'}]}}",
         "{'metadata':{'ownerReferences':[{'uid':'1','name':'b'}]}}",
         "{'metadata':{'ownerReferences':[{'uid':'1','name':'b'}]}}"},
        {"Namespace", "{'status':{'conditions':[{'type':'A','status':'1'}]}}",
         "{'status':{'conditions':[{'type':'A','reason':'x'}]}}",
         "{'status':{'conditions':[{'type':'A','status':'1','reason':'x'}]}}"},
        {"Deployment", "{'status':{'conditions':[{'type':'Available','status':'False','message':'m'}]}}",
         "{'status':{'conditions':[{'type':'Available','status':'True'}]}}",
         "{'status':{'conditions':[{'type':'Available','status':'True','message':'m'}]}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_result(cases[i].kind, cases[i].target, cases[i].patch, cases[i].expected);
}

static void other_lists_are_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *target, *patch, *expected;
    } cases[] = {
        {"EndpointSlice", "{'ports':[{'port':1,'name':'a'}],'endpoints':[{'addresses':['1']}]}",
         "{'ports':[{'port':2}],'endpoints':[]}", "{'ports':[{'port':2}],'endpoints':[]}"},
        {"Pod", "{'spec':{'containers':[{'name':'a','args':['1','2'],'envFrom':[{'prefix':'a'}]}]}}",
         "{'spec':{'containers':[{'name':'a','args':['3'],'envFrom':[{'prefix':'b'}]}]}}",
         "{'spec':{'containers':[{'name':'a','args':['3'],'envFrom':[{'prefix':'b'}]}]}}"},
        {"Pod", "{'spec':{'tolerations':[{'key':'a'},{'key':'b'}]}}", "{'spec':{'tolerations':[{'key':'b','x':1}]}}",
         "{'spec':{'tolerations':[{'key':'b','x':1}]}}"},
        {"Service", "{'spec':{'externalIPs':['1']}}", "{'spec':{'externalIPs':['2']}}",
         "{'spec':{'externalIPs':['2']}}"},
        /* Only inside a container are ports keyed by containerPort. */
        {"ConfigMap", "{'ports':[{'containerPort':1,'x':1}]}", "{'ports':[{'containerPort':1}]}",
         "{'ports':[{'containerPort':1}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_result(cases[i].kind, cases[i].target, cases[i].patch, cases[i].expected);
}

static void keys_of_another_type_are_other_keys(void **state)
{
    (void)state;
    check_result("Service", "{'spec':{'ports':[{'port':80,'a':1}]}}", "{'spec':{'ports':[{'port':'80','b':1}]}}",
                 "{'spec':{'ports':[{'port':'80','b':1},{'port':80,'a':1}]}}");
}

static void the_order_is_that_of_the_directive(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        /* New items where the directive wants them. */
        {"[{'name':'a'},{'name':'b'}]",
         "'$setElementOrder/containers':[{'name':'a'},{'name':'n'},{'name':'b'}],'containers':[{'name':'n'}]",
         "[{'name':'a'},{'name':'n'},{'name':'b'}]"},
        /* A new order alone. */
        {"[{'name':'a'},{'name':'b'},{'name':'c'}]",
         "'$setElementOrder/containers':[{'name':'c'},{'name':'a'},{'name':'b'}]",
         "[{'name':'c'},{'name':'a'},{'name':'b'}]"},
        /* Items that only the server knows keep their neighbours. */
        {"[{'name':'s1'},{'name':'a'},{'name':'s2'},{'name':'b'},{'name':'s3'}]",
         "'$setElementOrder/containers':[{'name':'a'},{'name':'b'}],'containers':[{'name':'a','image':'x'}]",
         "[{'name':'s1'},{'name':'a','image':'x'},{'name':'s2'},{'name':'b'},{'name':'s3'}]"},
        {"[{'name':'a'},{'name':'s'},{'name':'b'}]", "'$setElementOrder/containers':[{'name':'b'},{'name':'a'}]",
         "[{'name':'s'},{'name':'b'},{'name':'a'}]"},
        {"[{'name':'s'}]", "'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'a'}]",
         "[{'name':'a'},{'name':'s'}]"},
        /* The directive may name what is not there. */
        {"[{'name':'a'}]", "'$setElementOrder/containers':[{'name':'x'},{'name':'a'}]", "[{'name':'a'}]"},
        {"[{'name':'a'},{'name':'b'}]",
         "'$setElementOrder/containers':[{'name':'b'}],'containers':[{'$patch':'delete','name':'a'}]",
         "[{'name':'b'}]"},
        /* Without it: the order of the patch, new ones first. */
        {"[{'name':'a'},{'name':'b'}]", "'containers':[{'name':'n'}]", "[{'name':'n'},{'name':'a'},{'name':'b'}]"},
        {"[{'name':'a'},{'name':'b'},{'name':'c'}]", "'containers':[{'name':'c','x':1},{'name':'a','x':1}]",
         "[{'name':'b'},{'name':'c','x':1},{'name':'a','x':1}]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[500], patch[500], expected[500];
        snprintf(target, sizeof target, "{'spec':{'containers':%s}}", cases[i][0]);
        snprintf(patch, sizeof patch, "{'spec':{%s}}", cases[i][1]);
        snprintf(expected, sizeof expected, "{'spec':{'containers':%s}}", cases[i][2]);
        check_result("Pod", target, patch, expected);
    }
}

static void a_directive_without_list_changes_nothing(void **state)
{
    (void)state;
    check_result("Pod", "{'spec':{'x':1}}", "{'spec':{'$setElementOrder/containers':[{'name':'a'}]}}",
                 "{'spec':{'x':1}}");
    check_result("Pod", "{'metadata':{}}", "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a']}}",
                 "{'metadata':{}}");
}

static void items_are_deleted_and_lists_replaced_by_directive(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"[{'name':'A'},{'name':'B'}]", "[{'$patch':'delete','name':'A'}]", "[{'name':'B'}]"},
        {"[{'name':'A'}]", "[{'$patch':'delete','name':'Z'}]", "[{'name':'A'}]"},
        {"[{'name':'A','value':'1'},{'name':'B'}]", "[{'$patch':'replace'},{'name':'A','value':'2'}]",
         "[{'name':'A','value':'2'}]"},
        {"[{'name':'A','value':'1'}]", "[{'$patch':'replace'}]", "[]"},
        {"[{'name':'A','value':'1'}]", "[{'$patch':'merge','name':'A','x':'2'}]", "[{'name':'A','value':'1','x':'2'}]"},
        {"[{'name':'A','value':'1'}]", "[{'$patch':'delete','name':'A'},{'name':'A','x':'2'}]",
         "[{'name':'A','x':'2'}]"},
        {"[{'name':'A'},{'name':'A','x':1}]", "[{'$patch':'delete','name':'A'}]", "[]"},
        {"[{'name':'A','valueFrom':{'x':1}}]", "[{'name':'A','valueFrom':null,'value':'v'}]",
         "[{'name':'A','value':'v'}]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[300], patch[300], expected[300];
        snprintf(target, sizeof target, "{'spec':{'containers':[{'name':'a','env':%s}]}}", cases[i][0]);
        snprintf(patch, sizeof patch, "{'spec':{'containers':[{'name':'a','env':%s}]}}", cases[i][1]);
        snprintf(expected, sizeof expected, "{'spec':{'containers':[{'name':'a','env':%s}]}}", cases[i][2]);
        check_result("Pod", target, patch, expected);
    }
}

/* ---- lists of scalars ---- */

static void finalizers_merge_as_a_set(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'finalizers':['a']}", "{'finalizers':['a','b']}", "{'finalizers':['a','b']}"},
        {"{'finalizers':['a','b']}", "{'$deleteFromPrimitiveList/finalizers':['a']}", "{'finalizers':['b']}"},
        {"{'finalizers':['a','b']}",
         "{'$deleteFromPrimitiveList/finalizers':['a'],'$setElementOrder/finalizers':['c','b'],'finalizers':['c']}",
         "{'finalizers':['c','b']}"},
        {"{'finalizers':['a']}", "{'$deleteFromPrimitiveList/finalizers':['a','z']}", "{'finalizers':[]}"},
        {"{}", "{'finalizers':['a']}", "{'finalizers':['a']}"},
        {"{'finalizers':['a','b','c']}", "{'$setElementOrder/finalizers':['c','b','a']}",
         "{'finalizers':['c','b','a']}"},
        {"{'finalizers':['a']}", "{'finalizers':null}", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[300], patch[300], expected[300];
        snprintf(target, sizeof target, "{'metadata':%s}", cases[i][0]);
        snprintf(patch, sizeof patch, "{'metadata':%s}", cases[i][1]);
        snprintf(expected, sizeof expected, "{'metadata':%s}", cases[i][2]);
        check_result("Secret", target, patch, expected);
    }
    check_result("Pod", "{'spec':{'containers':[{'name':'a','args':['x','y',1]}]}}",
                 "{'spec':{'containers':[{'name':'a','$deleteFromPrimitiveList/args':['x',1]}]}}",
                 "{'spec':{'containers':[{'name':'a','args':['y']}]}}");
}

/* ---- maps ---- */

static void maps_merge_and_null_deletes(void **state)
{
    (void)state;
    check_result("ConfigMap", "{'data':{'a':'1','b':'2'},'x':{'y':1}}", "{'data':{'a':null,'c':'3'},'x':null}",
                 "{'data':{'b':'2','c':'3'}}");
    check_result("ConfigMap", "{}", "{'data':{'a':null,'b':{'c':null}},'z':null}", "{'data':{'b':{}}}");
    check_result("ConfigMap", "{'a':1,'b':[1],'c':{}}", "{'a':{'x':null},'b':'s','c':[1]}", "{'a':{},'b':'s','c':[1]}");
}

static void directives_rule_whole_maps(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"{'a':'1','b':'2'}", "{'$patch':'replace','c':'3'}", "{'c':'3'}"},
        {"{'a':'1','b':'2'}", "{'$patch':'delete'}", "{}"},
        {"{'a':'1','b':'2'}", "{'$patch':'merge','c':'3'}", "{'a':'1','b':'2','c':'3'}"},
        {"{'a':'1','b':'2'}", "{'$retainKeys':['a','c'],'c':'3'}", "{'a':'1','c':'3'}"},
        {"{'a':'1','b':'2'}", "{'$retainKeys':['c'],'a':null,'c':'3'}", "{'c':'3'}"},
        {"{'a':'1'}", "{'$retainKeys':[]}", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char target[300], patch[300], expected[300];
        snprintf(target, sizeof target, "{'data':%s}", cases[i][0]);
        snprintf(patch, sizeof patch, "{'data':%s}", cases[i][1]);
        snprintf(expected, sizeof expected, "{'data':%s}", cases[i][2]);
        check_result("ConfigMap", target, patch, expected);
    }
}

/* What a patch adds may carry directives all the way down; none of them is stored. */
static void directives_never_reach_the_result(void **state)
{
    (void)state;
    check_result(
        "Deployment", "{'spec':{}}",
        "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'},'template':{'spec':{"
        "'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'a','$setElementOrder/env':[{'name':'A'}],"
        "'env':[{'name':'A','value':null},{'$patch':'delete','name':'B'},{'$patch':'replace'}],"
        "'securityContext':{'$patch':'delete'},'resources':{'$patch':'replace','limits':{'cpu':'1'}}}],"
        "'nodeSelector':{'$patch':'merge','a':'b'}}}}}",
        "{'spec':{'strategy':{'type':'Recreate'},'template':{'spec':{'containers':[{'name':'a',"
        "'env':[{'name':'A'}],'resources':{'limits':{'cpu':'1'}}}],'nodeSelector':{'a':'b'}}}}}");
    check_result("Pod", "{'spec':{'tolerations':[{'key':'a'}]}}",
                 "{'spec':{'tolerations':[{'$patch':'replace'},{'key':'b','$patch':'merge'}]}}",
                 "{'spec':{'tolerations':[{'key':'b'}]}}");
    check_result("Pod", "{'metadata':{'name':'a'},'spec':{}}", "{'$patch':'replace','metadata':{'name':'a'}}",
                 "{'metadata':{'name':'a'}}");
}

static void two_ports_of_one_number_come_in_with_a_new_container(void **state)
{
    (void)state;
    check_result("Pod", "{'spec':{'containers':[]}}",
                 "{'spec':{'containers':[{'name':'dns','ports':[{'containerPort':53,'protocol':'UDP'},"
                 "{'containerPort':53,'protocol':'TCP'}]}]}}",
                 "{'spec':{'containers':[{'name':'dns','ports':[{'containerPort':53,'protocol':'UDP'},"
                 "{'containerPort':53,'protocol':'TCP'}]}]}}");
}

static void numbers_and_texts_stay_as_they_are(void **state)
{
    (void)state;
    json_t *target = tree_of("{'metadata':{'annotations':{'kubectl.kubernetes.io/last-applied-configuration':'{}\\n'}},"
                             "'spec':{'ports':[{'port':8000}],'x':1.0}}");
    json_t *patch = tree_of("{'spec':{'ports':[{'port':8000,'targetPort':9000}]}}");
    char error[300];
    json_t *result = strategic_patch(target, patch, "Service", error);
    char *text = json_dumps(result, JSON_COMPACT);
    assert_string_equal(text, "{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":"
                              "\"{}\\n\"}},\"spec\":{\"ports\":[{\"port\":8000,\"targetPort\":9000}],\"x\":1.0}}");
    free(text);
    json_decref(result);
    json_decref(target);
    json_decref(patch);
}

static void metadata_is_the_results_own(void **state)
{
    (void)state;
    struct guarded target = guard("{'metadata':{'name':'a'}}"), patch = guard("{'spec':{'x':2}}");
    char error[300];
    json_t *result = strategic_patch(target.tree, patch.tree, "Pod", error);
    json_object_set_new(json_object_get(result, "metadata"), "resourceVersion", json_string("7"));
    json_decref(result);
    unguard(&target);
    unguard(&patch);
}

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *target, *patch, *error;
    } cases[] = {
        {"{}", "[1]", "a strategic merge patch is an object"},
        {"{'spec':{'containers':[{'name':'a'}]}}", "{'spec':{'containers':[{'name':'a'},{'image':'x'}]}}",
         "spec.containers[1]: the merge key \"name\" is missing"},
        {"{}", "{'spec':{'containers':[{'image':'x'}]}}", "spec.containers[0]: the merge key \"name\" is missing"},
        {"{}", "{'spec':{'containers':[{'name':null}]}}", "spec.containers[0]: the merge key \"name\" is missing"},
        {"{}", "{'spec':{'containers':[{'name':{}}]}}", "spec.containers[0]: the merge key \"name\" is missing"},
        {"{}", "{'spec':{'containers':['a']}}", "spec.containers[0]: the merge key \"name\" is missing"},
        {"{'spec':{'containers':[]}}", "{'spec':{'containers':[{'$patch':'delete'}]}}",
         "spec.containers[0]: the merge key \"name\" is missing"},
        {"{'spec':{'containers':[{'name':'a','ports':[]}]}}",
         "{'spec':{'containers':[{'name':'a','ports':[{'name':'x'}]}]}}",
         "spec.containers[0].ports[0]: the merge key \"containerPort\" is missing"},
        {"{}", "{'metadata':{'finalizers':[{}]}}", "metadata.finalizers[0]: must be a string, a number or a boolean"},
        {"{'metadata':{'finalizers':[]}}", "{'metadata':{'finalizers':[[]]}}",
         "metadata.finalizers[0]: must be a string, a number or a boolean"},
        {"{'metadata':{'finalizers':['a']}}", "{'metadata':{'$deleteFromPrimitiveList/finalizers':[{}]}}",
         "metadata.finalizers: $deleteFromPrimitiveList/ takes strings, numbers and booleans"},
        {"{'a':{}}", "{'a':{'$patch':'remove'}}", "a: $patch must be replace, merge or delete"},
        {"{}", "{'a':{'$patch':1}}", "a: $patch must be replace, merge or delete"},
        {"{'spec':{'containers':[]}}", "{'spec':{'containers':[{'name':'a','$patch':[]}]}}",
         "spec.containers[0]: $patch must be replace, merge or delete"},
        {"{'a':{}}", "{'a':{'$frobnicate':1}}", "a: unknown directive \"$frobnicate\""},
        {"{}", "{'a':{'$frobnicate':1}}", "a: unknown directive \"$frobnicate\""},
        {"{}", "{'$setElementOrder/':[]}", "unknown directive \"$setElementOrder/\""},
        {"{}", "{'$setElementOrder/a':{}}", "$setElementOrder/a must be a list"},
        {"{}", "{'$deleteFromPrimitiveList/a':1}", "$deleteFromPrimitiveList/a must be a list"},
        {"{'a':{}}", "{'a':{'$retainKeys':'b'}}", "a: $retainKeys must be a list"},
        {"{'a':{}}", "{'a':{'$retainKeys':['b'],'c':1}}", "a: $retainKeys does not list \"c\", which the patch sets"},
        {"{'spec':{'containers':[{'name':'a'}]}}",
         "{'spec':{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'b'}]}}",
         "spec.containers[0]: $setElementOrder/containers does not list this item"},
        {"{'spec':{'containers':[]}}", "{'spec':{'$setElementOrder/containers':[{'x':1}]}}",
         "spec.containers[0]: the merge key \"name\" is missing"},
        {"{'spec':{'tolerations':[{'key':'a'}]}}", "{'spec':{'$setElementOrder/tolerations':[{'key':'a'}]}}",
         "spec.tolerations: $setElementOrder/ has no meaning here: this list is replaced whole"},
        {"{'spec':{'tolerations':[{'key':'a'}]}}", "{'spec':{'tolerations':[{'key':'a','$patch':'delete'}]}}",
         "spec.tolerations[0]: $patch: delete has no meaning here: this list is replaced whole"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_error("Pod", cases[i].target, cases[i].patch, cases[i].error);
}

/* Two long lists meet in time that grows with their length, not with its square. */
static void long_lists_merge_quickly(void **state)
{
    (void)state;
    enum { ITEMS = 20000 };
    json_t *ports = json_array();
    for (int i = 0; i < ITEMS; i++)
        json_array_append_new(ports, json_pack("{s:i}", "port", i));
    json_t *target = json_pack("{s:{s:O}}", "spec", "ports", ports);
    json_t *patch = json_pack("{s:{s:O,s:O}}", "spec", "ports", ports, "$setElementOrder/ports", ports);
    char error[300];
    json_t *result = strategic_patch(target, patch, "Service", error);
    assert_equal_trees(result, target);
    json_decref(result);
    json_decref(patch);
    json_decref(target);
    json_decref(ports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_port_is_exchanged),
        cmocka_unit_test(a_deployment_changes_strategy_image_and_ports),
        cmocka_unit_test(a_volume_changes_its_source),
        cmocka_unit_test(a_restart_sets_an_annotation_of_the_template),
        cmocka_unit_test(items_merge_by_the_key_that_their_place_asks_for),
        cmocka_unit_test(other_lists_are_replaced),
        cmocka_unit_test(keys_of_another_type_are_other_keys),
        cmocka_unit_test(the_order_is_that_of_the_directive),
        cmocka_unit_test(a_directive_without_list_changes_nothing),
        cmocka_unit_test(items_are_deleted_and_lists_replaced_by_directive),
        cmocka_unit_test(finalizers_merge_as_a_set),
        cmocka_unit_test(maps_merge_and_null_deletes),
        cmocka_unit_test(directives_rule_whole_maps),
        cmocka_unit_test(directives_never_reach_the_result),
        cmocka_unit_test(two_ports_of_one_number_come_in_with_a_new_container),
        cmocka_unit_test(numbers_and_texts_stay_as_they_are),
        cmocka_unit_test(metadata_is_the_results_own),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(long_lists_merge_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
