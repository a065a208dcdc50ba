//! Objects of a cluster that run nothing: roles, policies, accounts, secrets.

pub(super) mod anonymous_binding;
pub(super) mod authenticated_binding;
pub(super) mod cluster_admin_binding;
pub(super) mod default_account_binding;
pub(super) mod masters_binding;
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
pub(super) mod wide_role_binding;
