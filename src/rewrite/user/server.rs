//! Servers that come with an image: what they write when somebody else than root starts them.

use super::Obstacle;
use crate::{
    knowledge::{Role, StepDown},
    model::{DockerfileModel, Stage, Step, StepCommand, Value},
    rule::Cx,
};

/// What a server of the base image needs besides what the project writes.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) owns: Vec<String>,
    pub(super) files: Vec<String>,
}

/// What the program of the base image writes when it does not start as root.
pub(super) fn server(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Result<Server, Obstacle> {
    let mut server = Server::default();
    let name = target.named_image().map(|image| image.reference.name()).unwrap_or_default();
    let programs: Vec<&str> =
        target.start_steps().iter().flat_map(|step| step.commands()).filter_map(StepCommand::name).collect();
    let (runs, base_runs) = (|program: &str| programs.contains(&program), programs.is_empty());
    let facts = target.image_facts();
    let is_web_server = facts.is_some_and(|facts| facts.step_down.known() == Some(&StepDown::Workers));
    match name.as_str() {
        // The documentation of the image, "Running nginx as a non-root user": pid and temporary files.
        "docker.io/library/nginx" if base_runs || runs("nginx") => {
            server.owns.push("/var/cache/nginx".to_owned());
            server.files.extend(pid_of_nginx(cx, target)?);
            server.files.extend(private_keys(target));
            if copies_below(target, "/etc/nginx/templates") {
                server.owns.push("/etc/nginx/conf.d".to_owned());
            }
        }
        // `logs/httpd.pid`; a port below 1024 needs nothing on Docker 20.10 and later.
        "docker.io/library/httpd" if base_runs || runs("httpd-foreground") => {
            server.owns.push("/usr/local/apache2/logs".to_owned());
            server.files.extend(private_keys(target));
        }
        // The directory layout in the documentation of Tomcat; `webapps` is where archives are unpacked.
        _ if runs("catalina.sh") || runs("startup.sh") || name == "docker.io/library/tomcat" && base_runs => {
            let home = target.variable("CATALINA_HOME").and_then(|home| home.value.as_ref()).and_then(Value::known);
            let home = home.unwrap_or("/usr/local/tomcat");
            server
                .owns
                .extend(["conf/Catalina", "logs", "temp", "webapps", "work"].map(|name| format!("{home}/{name}")));
        }
        // Notebooks are written where they lie, and their checkpoints beside them (jupyter/docker-stacks, "Common features").
        _ if ["quay.io/jupyter/", "docker.io/jupyter/"].iter().any(|start| name.starts_with(start)) => {
            server.owns.extend(copied_below(target, "/home/jovyan"));
        }
        // The run, lock and log directories of php:apache are writable for all, and the pool of php:fpm needs no root.
        "docker.io/library/php" => {}
        _ if is_web_server => return Err("which files the server of the base image writes is not known".into()),
        _ => {}
    }
    if name.as_str() != "docker.io/library/nginx" && runs("nginx") {
        return Err(
            "nginx as the distribution installs it writes its pid, logs and temporary files where only root may".into(),
        );
    }
    let of_root = [
        "apache2",
        "apache2ctl",
        "apachectl",
        "apache2-foreground",
        "httpd",
        "php-fpm",
        "mysqld",
        "mysqld_safe",
        "mariadbd",
        "postgres",
        "mongod",
        "redis-server",
        "named",
        "dnsmasq",
        "squid",
        "haproxy",
        "freeradius",
        "slapd",
        "rsyslogd",
        "snmpd",
        "clamd",
        "freshclam",
    ];
    let is_own = name.starts_with("docker.io/library/php") && (runs("apache2-foreground") || runs("php-fpm"));
    if let Some(program) = programs.iter().find(|program| matches!(**program, "supervisord" | "service")) {
        return Err(format!(
            "`{program}` starts other programs, each as the user that its settings name: which of them need root, and \
             what each of them writes, is for those to say"
        )
        .into());
    }
    if let Some(program) = programs.iter().find(|program| of_root.contains(program)).filter(|_| !is_own) {
        return Err(format!(
            "`{program}` starts as root, makes its own files and becomes another user by itself, or is told to"
        )
        .into());
    }
    let is_given_up = facts
        .is_some_and(|facts| matches!(facts.role.known(), Some(Role::Server | Role::Database | Role::Application)));
    let is_known = matches!(
        name.as_str(),
        "docker.io/library/nginx" | "docker.io/library/httpd" | "docker.io/library/php" | "docker.io/library/tomcat"
    );
    if is_given_up && !is_known && base_runs {
        return Err("what the program of the base image writes when it runs as somebody else is not known".into());
    }
    Ok(server)
}

/// Keys that are copied into the image: a context mostly has them readable by their owner alone.
fn private_keys(target: Stage<'_>) -> Vec<String> {
    let copies = target.chain_steps().filter(|step| step.instruction().flag("chown").is_none());
    let files = copies.filter_map(|step| {
        let to = step.destination().and_then(|word| step.absolute_arg(word))?;
        let sources = step.sources();
        let [source] = sources.as_slice() else { return None };
        let is_key = |name: &str| name.ends_with(".key") || name.ends_with("privkey.pem") || name.ends_with("-key.pem");
        if is_key(&to) {
            return Some(to);
        }
        let name = source.text.rsplit('/').next().unwrap_or_default();
        (is_key(name) && step.destination().is_some_and(|word| word.text.ends_with(b"/")))
            .then(|| format!("{to}/{name}"))
    });
    files.collect()
}

fn copies_below(target: Stage<'_>, directory: &str) -> bool {
    target.chain_steps().any(|step| {
        step.destination()
            .and_then(|word| step.absolute_arg(word))
            .is_some_and(|to| to == directory || to.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')))
    })
}

/// Where steps copy to below a directory.
fn copied_below(target: Stage<'_>, directory: &str) -> Vec<String> {
    let copies = target.chain_steps().filter(|step| step.instruction().flag("chown").is_none());
    let places = copies.filter_map(|step| step.destination().and_then(|word| step.absolute_arg(word)));
    places
        .filter(|to| to.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1))
        .map(|to| to.trim_end_matches('/').to_owned())
        .filter(|to| !to.rsplit('/').next().is_some_and(|name| name.trim_start_matches('.').contains('.')))
        .collect()
}

/// The file that nginx writes its process number to, unless everybody may write there.
fn pid_of_nginx(cx: &Cx<'_, DockerfileModel<'_>>, target: Stage<'_>) -> Result<Option<String>, Obstacle> {
    let copies = |step: &Step<'_>| {
        let to = step.destination().and_then(|word| step.absolute_arg(word));
        to.is_some_and(|to| to == "/etc/nginx/nginx.conf" || to == "/etc/nginx") && step.copy_source().is_none()
    };
    let own = target.chain_steps().filter(copies).last();
    let Some(own) = own else { return Ok(Some("/run/nginx.pid".to_owned())) };
    let source = own.sources().into_iter().map(|source| source.text).find(|text| text.ends_with(".conf"));
    let Some(file) = source.as_deref().and_then(|source| cx.context.nearest(source)) else {
        return Err(format!(
            "`nginx.conf` of line {} could not be read: it says which files nginx writes",
            own.instruction().lines.0
        )
        .into());
    };
    let text = String::from_utf8_lossy(&file.text);
    let pid = text.lines().find_map(|line| line.trim().strip_prefix("pid")?.trim().strip_suffix(';'));
    let pid = pid.unwrap_or("/run/nginx.pid");
    Ok((!pid.starts_with("/tmp/")).then(|| pid.replacen("/var/run/", "/run/", 1)))
}
