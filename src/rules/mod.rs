//! The catalogue: the only place that names every rule.

mod image;
mod kubernetes;
mod layer;
mod network;
mod package;
mod runtime;
mod secret;
mod syntax;
mod user;

use crate::rule::Builtin;

/// Every rule, sorted by id.
pub static RULES: &[&Builtin] = &[
    &image::add_archive::RULE,
    &image::add_local_file::RULE,
    &image::add_remote_url::RULE,
    &kubernetes::anonymous_binding::RULE,
    &package::apt_recommends::RULE,
    &kubernetes::authenticated_binding::RULE,
    &image::build_tools_in_image::RULE,
    &kubernetes::cluster_admin_binding::RULE,
    &runtime::dangerous_capability::RULE,
    &kubernetes::default_account_binding::RULE,
    &runtime::docker_group::RULE,
    &runtime::docker_host_tcp::RULE,
    &runtime::docker_socket::RULE,
    &runtime::entry_script_mode::RULE,
    &image::eol_base::RULE,
    &runtime::host_namespace::RULE,
    &runtime::host_network_run::RULE,
    &runtime::insecure_run::RULE,
    &runtime::kernel_module::RULE,
    &kubernetes::masters_binding::RULE,
    &layer::missing_pipefail::RULE,
    &runtime::mounted_engine_socket::RULE,
    &user::named_user::RULE,
    &image::non_minimal_base::RULE,
    &package::package_cache_left::RULE,
    &secret::password_in_run::RULE,
    &network::pipe_to_shell::RULE,
    &runtime::privilege_escalation::RULE,
    &runtime::privileged_container::RULE,
    &kubernetes::rbac_any_group::RULE,
    &kubernetes::rbac_any_resource::RULE,
    &kubernetes::rbac_any_verb::RULE,
    &kubernetes::rbac_certificate_approval::RULE,
    &kubernetes::rbac_escalation::RULE,
    &kubernetes::rbac_everything::RULE,
    &kubernetes::rbac_exec::RULE,
    &kubernetes::rbac_impersonation::RULE,
    &kubernetes::rbac_infrastructure::RULE,
    &kubernetes::rbac_role_binding::RULE,
    &kubernetes::rbac_secrets::RULE,
    &kubernetes::rbac_webhooks::RULE,
    &kubernetes::rbac_workloads::RULE,
    &user::root_user::RULE,
    &secret::secret_copied::RULE,
    &secret::secret_in_arg::RULE,
    &secret::secret_in_env::RULE,
    &secret::secret_in_url::RULE,
    &layer::setuid_bit::RULE,
    &runtime::shell_form_start::RULE,
    &runtime::ssh_server::RULE,
    &user::sudo::RULE,
    &syntax::syntax_error::RULE,
    &network::tls_verification_off::RULE,
    &runtime::unconfined_container::RULE,
    &image::unpinned_base::RULE,
    &package::unsigned_packages::RULE,
    &syntax::unused_allow::RULE,
    &network::unverified_download::RULE,
    &image::unversioned_base::RULE,
    &package::update_alone::RULE,
    &kubernetes::wide_role_binding::RULE,
    &layer::world_writable::RULE,
    &runtime::writable_root::RULE,
];
