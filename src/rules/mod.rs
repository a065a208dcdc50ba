//! The catalogue: the only place that names every rule.

mod image;
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
    &package::apt_recommends::RULE,
    &image::build_tools_in_image::RULE,
    &runtime::dangerous_capability::RULE,
    &runtime::docker_group::RULE,
    &runtime::docker_host_tcp::RULE,
    &runtime::docker_socket::RULE,
    &runtime::entry_script_mode::RULE,
    &image::eol_base::RULE,
    &runtime::host_namespace::RULE,
    &runtime::host_network_run::RULE,
    &runtime::insecure_run::RULE,
    &runtime::kernel_module::RULE,
    &layer::missing_pipefail::RULE,
    &runtime::mounted_engine_socket::RULE,
    &user::named_user::RULE,
    &image::non_minimal_base::RULE,
    &package::package_cache_left::RULE,
    &secret::password_in_run::RULE,
    &network::pipe_to_shell::RULE,
    &runtime::privilege_escalation::RULE,
    &runtime::privileged_container::RULE,
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
    &layer::world_writable::RULE,
    &runtime::writable_root::RULE,
];
