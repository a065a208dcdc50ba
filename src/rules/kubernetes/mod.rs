//! What only a cluster knows: how its pods are run, and who may do what.

pub(super) mod added_capability;
pub(super) mod anonymous_binding;
pub(super) mod authenticated_binding;
pub(super) mod cached_image;
pub(super) mod cluster_admin_binding;
pub(super) mod container_as_root;
pub(super) mod container_may_be_root;
pub(super) mod dangling_network_peer;
pub(super) mod dangling_network_policy;
pub(super) mod default_account_binding;
pub(super) mod default_account_token;
pub(super) mod default_capabilities;
pub(super) mod default_namespace;
pub(super) mod default_service_account;
pub(super) mod deprecated_service_account;
pub(super) mod fetched_at_start;
pub(super) mod fractional_cpu_limit;
pub(super) mod git_sync_program;
pub(super) mod host_path_volume;
pub(super) mod host_port;
pub(super) mod host_process;
pub(super) mod invalid_label;
pub(super) mod kept_capabilities;
pub(super) mod low_group_id;
pub(super) mod low_user_id;
pub(super) mod masters_binding;
pub(super) mod missing_cpu_limit;
pub(super) mod missing_cpu_request;
pub(super) mod missing_liveness_probe;
pub(super) mod missing_memory_limit;
pub(super) mod missing_memory_request;
pub(super) mod missing_readiness_probe;
pub(super) mod missing_seccomp_profile;
pub(super) mod missing_security_context;
pub(super) mod mounted_token;
pub(super) mod namespace_without_standard;
pub(super) mod net_raw_kept;
pub(super) mod non_core_volume;
pub(super) mod open_network_policy;
pub(super) mod pod_without_network_policy;
pub(super) mod policy_without_selector;
pub(super) mod probe_of_host;
pub(super) mod rbac_any_group;
pub(super) mod rbac_any_resource;
pub(super) mod rbac_any_verb;
pub(super) mod rbac_certificate_approval;
pub(super) mod rbac_escalation;
pub(super) mod rbac_everything;
pub(super) mod rbac_exec;
pub(super) mod rbac_impersonation;
pub(super) mod rbac_infrastructure;
pub(super) mod rbac_role_binding;
pub(super) mod rbac_secrets;
pub(super) mod rbac_webhooks;
pub(super) mod rbac_workloads;
pub(super) mod refused_user;
pub(super) mod removed_annotation;
pub(super) mod removed_api;
pub(super) mod root_group;
pub(super) mod secret_as_variable;
pub(super) mod secret_in_config_map;
pub(super) mod secret_in_manifest;
pub(super) mod secret_in_pod_env;
pub(super) mod secret_kept_plain;
pub(super) mod secrets_unencrypted;
pub(super) mod selinux_options;
pub(super) mod sensitive_host_path;
pub(super) mod shared_service_account;
pub(super) mod ssh_port;
pub(super) mod system_namespace;
pub(super) mod tiller;
pub(super) mod unenforced_non_root;
pub(super) mod unknown_apparmor_profile;
pub(super) mod unmasked_proc;
pub(super) mod unsafe_sysctl;
pub(super) mod wide_role_binding;
pub(super) mod writable_host_path;
pub(super) mod writable_system_directory;

use crate::{
    model::kubernetes::{KubernetesModel, rbac::Access},
    rewrite,
    rule::{Cx, Findings},
};

/// Reports each place where a role allows one of `accesses`, with the role without it as the fix.
fn granted(cx: &Cx<'_, KubernetesModel<'_>>, accesses: &[Access], out: &mut Findings) {
    let editor = cx.model.editor(cx.file.id);
    for (role, grant) in cx.model.grants() {
        for allowed in accesses.iter().flat_map(|access| grant.allows(access)) {
            let message = format!("`{}` may {}", role.name(), allowed.means());
            let finding = out.report(allowed.place(), message);
            finding.repair(cx, || rewrite::without_access(editor, role, &grant, allowed));
        }
    }
}
