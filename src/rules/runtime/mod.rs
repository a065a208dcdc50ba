//! Privileges of a build or a container.

pub(super) mod dangerous_capability;
pub(super) mod docker_group;
pub(super) mod docker_host_tcp;
pub(super) mod docker_socket;
pub(super) mod entry_script_mode;
pub(super) mod host_namespace;
pub(super) mod host_network_run;
pub(super) mod insecure_run;
pub(super) mod kernel_module;
pub(super) mod mounted_engine_socket;
pub(super) mod privilege_escalation;
pub(super) mod privileged_container;
pub(super) mod shell_form_start;
pub(super) mod ssh_server;
pub(super) mod unconfined_container;
pub(super) mod writable_root;
