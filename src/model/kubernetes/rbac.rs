//! What roles allow, and whom bindings give them to.
//!
//! A [`Grant`] is one rule of a role. What is asked of it is an [`Access`]: verbs on resources of groups, as the API
//! server asks it. Wildcards are understood as the server understands them: `*` alone, and `*/scale`; `p*ds` is the
//! name of a resource that nobody has. What a template hides allows nothing here.

use super::{KubernetesModel, Object};
use crate::{syntax::yaml::Node, text::Span};

/// A `Role` or `ClusterRole`.
#[derive(Clone, Copy, Debug)]
pub struct Role<'y> {
    /// The object.
    pub object: Object<'y>,
    /// The list of what it allows.
    rules: Node<'y>,
}

/// One rule of a role.
#[derive(Clone, Debug)]
pub struct Grant<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    groups: Vec<Node<'y>>,
    resources: Vec<Node<'y>>,
    verbs: Vec<Node<'y>>,
    /// Whether it speaks of objects with certain names only.
    is_named: bool,
}

/// Something that one may be allowed to do: verbs on resources of groups.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Groups of the API that have the resources; the first one of all is empty.
    pub groups: &'static [&'static str],
    /// Resources, with their part behind a `/`.
    pub resources: &'static [&'static str],
    /// Any of these is enough.
    pub verbs: &'static [&'static str],
}

/// How a rule allows something.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'y> {
    /// The resource, as it is written.
    pub resource: Node<'y>,
    /// The verb, as it is written.
    pub verb: Node<'y>,
}

/// A `RoleBinding` or `ClusterRoleBinding`.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'y> {
    /// The object.
    pub object: Object<'y>,
    /// The name of the role.
    pub role: Node<'y>,
}

/// Whom a binding gives a role to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'y> {
    /// Where it is written: the item.
    pub node: Node<'y>,
    /// `User`, `Group` or `ServiceAccount`.
    pub kind: &'y str,
    /// Its name.
    pub name: &'y str,
}

/// Verbs that change what is there or add to it. Nobody asks about `impersonate` where the thing is no identity, but
/// whoever writes it means to allow more than reading.
pub const CHANGE: &[&str] = &["create", "update", "patch", "delete", "deletecollection", "impersonate"];

/// Verbs that the API server asks about.
const VERBS: &[&str] = &[
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "bind",
    "escalate",
    "use",
];

impl<'y> KubernetesModel<'y> {
    /// Roles, those of the whole cluster included.
    pub fn roles(&self) -> impl Iterator<Item = Role<'y>> {
        self.objects.iter().filter_map(|&object| {
            let is_role = matches!(object.kind, "Role" | "ClusterRole") && object.is_of("authorization");
            let rules = object.node.get("rules").filter(|_| is_role)?;
            Some(Role { object, rules })
        })
    }

    /// Every rule of every role.
    pub fn grants(&self) -> impl Iterator<Item = (Role<'y>, Grant<'y>)> {
        self.roles().flat_map(|role| role.grants().map(move |grant| (role, grant)))
    }

    /// Bindings, those of the whole cluster included.
    pub fn bindings(&self) -> impl Iterator<Item = Binding<'y>> {
        self.objects.iter().filter_map(|&object| {
            let is_binding = matches!(object.kind, "RoleBinding" | "ClusterRoleBinding");
            let role = object.at(&["roleRef", "name"]).filter(|_| is_binding && object.is_of("authorization"))?;
            Some(Binding { object, role })
        })
    }
}

impl<'y> Role<'y> {
    /// Its name, for messages.
    pub fn name(self) -> &'y str {
        self.object.name().unwrap_or("the role")
    }

    /// What it allows, rule by rule.
    pub fn grants(self) -> impl Iterator<Item = Grant<'y>> {
        self.rules.items().filter(|item| item.is_mapping()).map(Grant::of)
    }

    /// Whether it has one rule only.
    pub fn has_one_rule(self) -> bool {
        self.rules.items().nth(1).is_none()
    }

    /// How it allows `access`, whichever rule does.
    pub fn allows(self, access: &Access) -> Option<Allowed<'y>> {
        self.grants().find_map(|grant| grant.allows(access).next())
    }
}

impl<'y> Grant<'y> {
    fn of(node: Node<'y>) -> Self {
        let known = |key: &str| {
            let items = node.get(key).into_iter().flat_map(Node::items);
            items.filter(|item| !item.resolved().is_template() && item.scalar().is_some()).collect::<Vec<_>>()
        };
        // A `*` among names is no wildcard for the server, but it is for whoever writes it.
        let names = node.get("resourceNames");
        let is_any = names.into_iter().flat_map(Node::items).any(|item| item.scalar() == Some("*"));
        let is_named = names.is_some_and(|names| !is_any && (names.items().next().is_some() || names.is_open()));
        Self { node, groups: known("apiGroups"), resources: known("resources"), verbs: known("verbs"), is_named }
    }

    /// The `*` among its groups.
    pub fn any_group(&self) -> Option<Node<'y>> {
        wildcard(&self.groups)
    }

    /// The `*` among its resources.
    pub fn any_resource(&self) -> Option<Node<'y>> {
        wildcard(&self.resources)
    }

    /// The `*` among its verbs.
    pub fn any_verb(&self) -> Option<Node<'y>> {
        wildcard(&self.verbs)
    }

    /// Whether it is about every group, or the one that holds secrets, pods and accounts.
    pub fn covers_core(&self) -> bool {
        self.groups.iter().any(|group| matches!(group.scalar(), Some("" | "*")))
    }

    /// The first of its verbs that the server asks about; a name that nobody knows allows nothing.
    pub fn known_verb(&self) -> Option<Node<'y>> {
        self.verbs.iter().copied().find(|verb| verb.scalar().is_some_and(|verb| VERBS.contains(&verb)))
    }

    /// Whether it allows everything on everything, so that there is no use in telling what that includes.
    pub fn is_everything(&self) -> bool {
        self.covers_core() && self.any_resource().is_some() && self.any_verb().is_some()
    }

    /// The resources on which it allows `access`, whatever their objects are called.
    ///
    /// A `*` that stands for everything there is in every group does not count: that is said once, as what it is.
    pub fn allows(&self, access: &Access) -> impl Iterator<Item = Allowed<'y>> {
        let is_asked = |verb: &str| verb == "*" || access.verbs.contains(&verb);
        let is_in_group = |name: &str| name == "*" || access.groups.contains(&name);
        let covers = |name: &str| match name.strip_prefix("*/") {
            Some(part) => access.resources.iter().any(|one| one.split_once('/').is_some_and(|(_, of)| of == part)),
            None if name == "*" => self.any_group().is_none(),
            None => access.resources.contains(&name),
        };
        let first = |names: &[Node<'y>], is_one: &dyn Fn(&str) -> bool| {
            names.iter().copied().find(|node| node.scalar().is_some_and(is_one))
        };
        let is_told = !self.is_named && !self.is_everything() && first(&self.groups, &is_in_group).is_some();
        let verb = first(&self.verbs, &is_asked).filter(|_| is_told);
        let covered = self.resources.iter().copied().filter(|node| node.scalar().is_some_and(covers));
        let allowed: Vec<Allowed<'y>> =
            verb.map_or(Vec::new(), |verb| covered.map(|resource| Allowed { resource, verb }).collect());
        allowed.into_iter()
    }

    /// Whether it speaks of one resource only.
    pub fn is_of_one_resource(&self) -> bool {
        self.resources.len() < 2
    }
}

fn wildcard<'y>(names: &[Node<'y>]) -> Option<Node<'y>> {
    names.iter().copied().find(|name| name.scalar() == Some("*"))
}

impl Allowed<'_> {
    /// Where the resource is named.
    pub fn place(self) -> Span {
        self.resource.span()
    }

    /// What it allows, to be read behind "may".
    pub fn means(self) -> String {
        let resource = match self.resource.scalar().unwrap_or_default() {
            "*" => "everything of its group".to_owned(),
            name => format!("`{name}`"),
        };
        match self.verb.scalar().unwrap_or_default() {
            "*" => format!("do anything with {resource}"),
            verb => format!("`{verb}` {resource}"),
        }
    }
}

impl<'y> Binding<'y> {
    /// Whom it gives the role to.
    pub fn subjects(self) -> impl Iterator<Item = Subject<'y>> {
        let text = |node: Node<'y>, key: &str| {
            node.get(key).filter(|value| !value.resolved().is_template()).and_then(Node::scalar)
        };
        let items = self.object.node.get("subjects").into_iter().flat_map(Node::items);
        items.filter_map(move |node| Some(Subject { node, kind: text(node, "kind")?, name: text(node, "name")? }))
    }

    /// The name of the role, unless a template hides it.
    pub fn role_name(self) -> Option<&'y str> {
        self.role.scalar().filter(|_| !self.role.resolved().is_template())
    }

    /// Where the role is named.
    pub fn role_place(self) -> Span {
        let entry = self.object.at(&["roleRef"]).and_then(|role| role.entry("name"));
        entry.map_or(self.role.span(), |entry| entry.span())
    }

    /// Whether it holds in the whole cluster.
    pub fn is_cluster_wide(self) -> bool {
        self.object.kind == "ClusterRoleBinding"
    }
}

impl Subject<'_> {
    /// Where its name is written.
    pub fn place(self) -> Span {
        self.node.entry("name").map_or(self.node.span(), |entry| entry.span())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::yaml::parse;

    const READ_SECRETS: Access = Access { groups: &[""], resources: &["secrets"], verbs: &["get"] };

    fn allowed(rule: &str) -> bool {
        let text =
            format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: a}}\nrules:\n- {rule}\n");
        let parsed = parse(text.as_bytes());
        let model = KubernetesModel::new(&parsed.tree);
        model.roles().next().is_some_and(|role| role.allows(&READ_SECRETS).is_some())
    }

    #[test]
    fn a_rule_allows_what_it_names_and_what_a_wildcard_covers() {
        assert!(allowed("{apiGroups: [''], resources: [pods, secrets], verbs: [list, get]}"));
        assert!(allowed("{apiGroups: ['*'], resources: [secrets], verbs: ['*']}"));
        assert!(allowed("{apiGroups: [''], resources: ['*'], verbs: [get]}"));
        assert!(!allowed("{apiGroups: [apps], resources: [secrets], verbs: [get]}"));
        assert!(!allowed("{apiGroups: [''], resources: [secrets], verbs: [list]}"));
        assert!(!allowed("{apiGroups: [''], resources: ['s*'], verbs: [get]}"));
    }

    #[test]
    fn names_and_templates_narrow_what_is_known() {
        assert!(!allowed("{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [a]}"));
        assert!(allowed("{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: []}"));
        assert!(!allowed("{apiGroups: [''], resources: ['{{ .Values.what }}'], verbs: [get]}"));
    }
}
