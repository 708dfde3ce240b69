/* SPDX-License-Identifier: Apache-2.0 */
/* tables_volume.c: core/v1: the volumes of a pod, from all sources there ever were.
 * Constant data. */
#include "kube/protobuf/tables.h"

#include <stddef.h>

/* clang-format off */
static const struct message_field host_path_volume_source[] = {
    {1, "path", TEXT}, {2, "type", TEXT}, {0},
};

static const struct message_field empty_dir_volume_source[] = {
    {1, "medium", TEXT, OMIT}, {2, "sizeLimit", QUANTITY}, {3, "mode", INT}, {0},
};

static const struct message_field gce_persistent_disk_volume_source[] = {
    {1, "pdName", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "partition", INT, OMIT}, {4, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field aws_elastic_block_store_volume_source[] = {
    {1, "volumeID", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "partition", INT, OMIT}, {4, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field git_repo_volume_source[] = {
    {1, "repository", TEXT}, {2, "revision", TEXT, OMIT}, {3, "directory", TEXT, OMIT}, {0},
};

static const struct message_field key_to_path[] = {
    {1, "key", TEXT}, {2, "path", TEXT}, {3, "mode", INT}, {4, "user", INT}, {0},
};

static const struct message_field secret_volume_source[] = {
    {1, "secretName", TEXT, OMIT}, {2, "items", MESSAGE, LIST, key_to_path}, {3, "defaultMode", INT},
    {4, "optional", BOOL}, {5, "defaultUser", INT}, {0},
};

static const struct message_field nfs_volume_source[] = {
    {1, "server", TEXT}, {2, "path", TEXT}, {3, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field iscsi_volume_source[] = {
    {1, "targetPortal", TEXT},
    {2, "iqn", TEXT},
    {3, "lun", INT},
    {4, "iscsiInterface", TEXT, OMIT},
    {5, "fsType", TEXT, OMIT},
    {6, "readOnly", BOOL, OMIT},
    {7, "portals", TEXT, LIST},
    {8, "chapAuthDiscovery", BOOL, OMIT},
    {10, "secretRef", MESSAGE, ONE, message_local_object_reference},
    {11, "chapAuthSession", BOOL, OMIT},
    {12, "initiatorName", TEXT},
    {0},
};

static const struct message_field glusterfs_volume_source[] = {
    {1, "endpoints", TEXT}, {2, "path", TEXT}, {3, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field persistent_volume_claim_volume_source[] = {
    {1, "claimName", TEXT}, {2, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field rbd_volume_source[] = {
    {1, "monitors", TEXT, LIST},
    {2, "image", TEXT},
    {3, "fsType", TEXT, OMIT},
    {4, "pool", TEXT, OMIT},
    {5, "user", TEXT, OMIT},
    {6, "keyring", TEXT, OMIT},
    {7, "secretRef", MESSAGE, ONE, message_local_object_reference},
    {8, "readOnly", BOOL, OMIT},
    {0},
};

static const struct message_field flex_volume_source[] = {
    {1, "driver", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "secretRef", MESSAGE, ONE, message_local_object_reference},
    {4, "readOnly", BOOL, OMIT}, {5, "options", TEXT, MAP}, {0},
};

static const struct message_field cinder_volume_source[] = {
    {1, "volumeID", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "readOnly", BOOL, OMIT},
    {4, "secretRef", MESSAGE, ONE, message_local_object_reference}, {0},
};

static const struct message_field cephfs_volume_source[] = {
    {1, "monitors", TEXT, LIST}, {2, "path", TEXT, OMIT}, {3, "user", TEXT, OMIT}, {4, "secretFile", TEXT, OMIT},
    {5, "secretRef", MESSAGE, ONE, message_local_object_reference}, {6, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field flocker_volume_source[] = {
    {1, "datasetName", TEXT, OMIT}, {2, "datasetUUID", TEXT, OMIT}, {0},
};

static const struct message_field downward_api_volume_file[] = {
    {1, "path", TEXT}, {2, "fieldRef", MESSAGE, ONE, message_object_field_selector},
    {3, "resourceFieldRef", MESSAGE, ONE, message_resource_field_selector}, {4, "mode", INT}, {5, "user", INT}, {0},
};

static const struct message_field downward_api_volume_source[] = {
    {1, "items", MESSAGE, LIST, downward_api_volume_file}, {2, "defaultMode", INT}, {3, "defaultUser", INT}, {0},
};

static const struct message_field fc_volume_source[] = {
    {1, "targetWWNs", TEXT, LIST}, {2, "lun", INT}, {3, "fsType", TEXT, OMIT}, {4, "readOnly", BOOL, OMIT},
    {5, "wwids", TEXT, LIST}, {0},
};

static const struct message_field azure_file_volume_source[] = {
    {1, "secretName", TEXT}, {2, "shareName", TEXT}, {3, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field config_map_volume_source[] = {
    {1, NULL, MESSAGE, INLINED, message_local_object_reference}, {2, "items", MESSAGE, LIST, key_to_path},
    {3, "defaultMode", INT}, {4, "optional", BOOL}, {5, "defaultUser", INT}, {0},
};

static const struct message_field vsphere_virtual_disk_volume_source[] = {
    {1, "volumePath", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "storagePolicyName", TEXT, OMIT},
    {4, "storagePolicyID", TEXT, OMIT}, {0},
};

static const struct message_field quobyte_volume_source[] = {
    {1, "registry", TEXT}, {2, "volume", TEXT}, {3, "readOnly", BOOL, OMIT}, {4, "user", TEXT, OMIT},
    {5, "group", TEXT, OMIT}, {6, "tenant", TEXT, OMIT}, {0},
};

static const struct message_field azure_disk_volume_source[] = {
    {1, "diskName", TEXT}, {2, "diskURI", TEXT}, {3, "cachingMode", TEXT}, {4, "fsType", TEXT}, {5, "readOnly", BOOL},
    {6, "kind", TEXT}, {0},
};

static const struct message_field photon_persistent_disk_volume_source[] = {
    {1, "pdID", TEXT}, {2, "fsType", TEXT, OMIT}, {0},
};

static const struct message_field downward_api_projection[] = {
    {1, "items", MESSAGE, LIST, downward_api_volume_file}, {0},
};

static const struct message_field object_projection[] = {
    {1, NULL, MESSAGE, INLINED, message_local_object_reference}, {2, "items", MESSAGE, LIST, key_to_path},
    {4, "optional", BOOL}, {0},
};

static const struct message_field service_account_token_projection[] = {
    {1, "audience", TEXT, OMIT}, {2, "expirationSeconds", INT}, {3, "path", TEXT}, {4, "user", INT}, {0},
};

static const struct message_field cluster_trust_bundle_projection[] = {
    {1, "name", TEXT}, {2, "signerName", TEXT}, {3, "labelSelector", MESSAGE, ONE, message_label_selector},
    {4, "path", TEXT}, {5, "optional", BOOL}, {6, "user", INT}, {0},
};

static const struct message_field pod_certificate_projection[] = {
    {1, "signerName", TEXT, OMIT},
    {2, "keyType", TEXT, OMIT},
    {3, "maxExpirationSeconds", INT},
    {4, "credentialBundlePath", TEXT, OMIT},
    {5, "keyPath", TEXT, OMIT},
    {6, "certificateChainPath", TEXT, OMIT},
    {7, "userAnnotations", TEXT, MAP},
    {8, "user", INT},
    {0},
};

static const struct message_field volume_projection[] = {
    {1, "secret", MESSAGE, ONE, object_projection},
    {2, "downwardAPI", MESSAGE, ONE, downward_api_projection},
    {3, "configMap", MESSAGE, ONE, object_projection},
    {4, "serviceAccountToken", MESSAGE, ONE, service_account_token_projection},
    {5, "clusterTrustBundle", MESSAGE, ONE, cluster_trust_bundle_projection},
    {6, "podCertificate", MESSAGE, ONE, pod_certificate_projection},
    {0},
};

static const struct message_field projected_volume_source[] = {
    {1, "sources", MESSAGE, LIST, volume_projection}, {2, "defaultMode", INT}, {3, "defaultUser", INT}, {0},
};

static const struct message_field portworx_volume_source[] = {
    {1, "volumeID", TEXT}, {2, "fsType", TEXT, OMIT}, {3, "readOnly", BOOL, OMIT}, {0},
};

static const struct message_field scaleio_volume_source[] = {
    {1, "gateway", TEXT},
    {2, "system", TEXT},
    {3, "secretRef", MESSAGE, ONE, message_local_object_reference},
    {4, "sslEnabled", BOOL, OMIT},
    {5, "protectionDomain", TEXT, OMIT},
    {6, "storagePool", TEXT, OMIT},
    {7, "storageMode", TEXT, OMIT},
    {8, "volumeName", TEXT, OMIT},
    {9, "fsType", TEXT, OMIT},
    {10, "readOnly", BOOL, OMIT},
    {0},
};

static const struct message_field storageos_volume_source[] = {
    {1, "volumeName", TEXT, OMIT}, {2, "volumeNamespace", TEXT, OMIT}, {3, "fsType", TEXT, OMIT},
    {4, "readOnly", BOOL, OMIT}, {5, "secretRef", MESSAGE, ONE, message_local_object_reference}, {0},
};

static const struct message_field csi_volume_source[] = {
    {1, "driver", TEXT}, {2, "readOnly", BOOL}, {3, "fsType", TEXT}, {4, "volumeAttributes", TEXT, MAP},
    {5, "nodePublishSecretRef", MESSAGE, ONE, message_local_object_reference}, {0},
};

static const struct message_field volume_resource_requirements[] = {
    {1, "limits", QUANTITY, MAP}, {2, "requests", QUANTITY, MAP}, {0},
};

static const struct message_field typed_local_object_reference[] = {
    {1, "apiGroup", TEXT}, {2, "kind", TEXT}, {3, "name", TEXT}, {0},
};

static const struct message_field typed_object_reference[] = {
    {1, "apiGroup", TEXT}, {2, "kind", TEXT}, {3, "name", TEXT}, {4, "namespace", TEXT}, {0},
};

static const struct message_field persistent_volume_claim_spec[] = {
    {1, "accessModes", TEXT, LIST},
    {2, "resources", MESSAGE, ONE, volume_resource_requirements},
    {3, "volumeName", TEXT, OMIT},
    {4, "selector", MESSAGE, ONE, message_label_selector},
    {5, "storageClassName", TEXT},
    {6, "volumeMode", TEXT},
    {7, "dataSource", MESSAGE, ONE, typed_local_object_reference},
    {8, "dataSourceRef", MESSAGE, ONE, typed_object_reference},
    {9, "volumeAttributesClassName", TEXT},
    {0},
};

static const struct message_field persistent_volume_claim_template[] = {
    {1, "metadata", MESSAGE, ONE, message_object_meta}, {2, "spec", MESSAGE, ONE, persistent_volume_claim_spec}, {0},
};

static const struct message_field ephemeral_volume_source[] = {
    {1, "volumeClaimTemplate", MESSAGE, ONE, persistent_volume_claim_template}, {0},
};

static const struct message_field image_volume_source[] = {
    {1, "reference", TEXT, OMIT}, {2, "pullPolicy", TEXT, OMIT}, {0},
};

static const struct message_field volume_source[] = {
    {1, "hostPath", MESSAGE, ONE, host_path_volume_source},
    {2, "emptyDir", MESSAGE, ONE, empty_dir_volume_source},
    {3, "gcePersistentDisk", MESSAGE, ONE, gce_persistent_disk_volume_source},
    {4, "awsElasticBlockStore", MESSAGE, ONE, aws_elastic_block_store_volume_source},
    {5, "gitRepo", MESSAGE, ONE, git_repo_volume_source},
    {6, "secret", MESSAGE, ONE, secret_volume_source},
    {7, "nfs", MESSAGE, ONE, nfs_volume_source},
    {8, "iscsi", MESSAGE, ONE, iscsi_volume_source},
    {9, "glusterfs", MESSAGE, ONE, glusterfs_volume_source},
    {10, "persistentVolumeClaim", MESSAGE, ONE, persistent_volume_claim_volume_source},
    {11, "rbd", MESSAGE, ONE, rbd_volume_source},
    {12, "flexVolume", MESSAGE, ONE, flex_volume_source},
    {13, "cinder", MESSAGE, ONE, cinder_volume_source},
    {14, "cephfs", MESSAGE, ONE, cephfs_volume_source},
    {15, "flocker", MESSAGE, ONE, flocker_volume_source},
    {16, "downwardAPI", MESSAGE, ONE, downward_api_volume_source},
    {17, "fc", MESSAGE, ONE, fc_volume_source},
    {18, "azureFile", MESSAGE, ONE, azure_file_volume_source},
    {19, "configMap", MESSAGE, ONE, config_map_volume_source},
    {20, "vsphereVolume", MESSAGE, ONE, vsphere_virtual_disk_volume_source},
    {21, "quobyte", MESSAGE, ONE, quobyte_volume_source},
    {22, "azureDisk", MESSAGE, ONE, azure_disk_volume_source},
    {23, "photonPersistentDisk", MESSAGE, ONE, photon_persistent_disk_volume_source},
    {24, "portworxVolume", MESSAGE, ONE, portworx_volume_source},
    {25, "scaleIO", MESSAGE, ONE, scaleio_volume_source},
    {26, "projected", MESSAGE, ONE, projected_volume_source},
    {27, "storageos", MESSAGE, ONE, storageos_volume_source},
    {28, "csi", MESSAGE, ONE, csi_volume_source},
    {29, "ephemeral", MESSAGE, ONE, ephemeral_volume_source},
    {30, "image", MESSAGE, ONE, image_volume_source},
    {0},
};

const struct message_field message_volume[] = {
    {1, "name", TEXT}, {2, NULL, MESSAGE, INLINED, volume_source}, {0},
};
/* clang-format on */
