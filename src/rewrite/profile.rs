//! Profiles of pods, from annotations of old into the fields that clusters read.

use super::manifest::set_below;
use crate::{
    model::kubernetes::{Setting, Workload},
    rule::{Fix, Safety},
    syntax::yaml::{Editor, Entry, Node, Value},
    text::Edit,
};

/// Starts of annotations, and the fields in their place.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("container.seccomp.security.alpha.kubernetes.io/", "seccompProfile"),
    ("seccomp.security.alpha.kubernetes.io/", "seccompProfile"),
    ("container.apparmor.security.beta.kubernetes.io/", "appArmorProfile"),
];

const SECCOMP: &str =
    "clusters of today apply the field where they did not read the annotation, and those before 1.19 do not know it";

const SECCOMP_OF_NODE: &str = "clusters of today apply the field where they did not read the annotation: the profile has to lie on every node that the pod may run on, or it does not start";

const APPARMOR: &str = "the profile has to be loaded on every node that the pod may run on, or it does not start, and clusters before 1.30 do not know the field";

/// An annotation that names a profile.
#[derive(Clone, Copy, Debug)]
pub struct Annotation<'y> {
    workload: Workload<'y>,
    entry: Entry<'y>,
    key: &'y str,
    /// What it is about: a container, or the pod.
    subject: &'y str,
    /// The field in its place.
    pub field: &'static str,
}

impl<'y> Annotation<'y> {
    /// `entry` of the annotations of `workload`, if it names a profile.
    pub fn of(workload: Workload<'y>, entry: Entry<'y>) -> Option<Self> {
        let key = entry.key.scalar()?;
        let named = ANNOTATIONS.iter().find_map(|(start, field)| Some((key.strip_prefix(start)?, *field)));
        named.map(|(subject, field)| Self { workload, entry, key, subject, field })
    }

    /// What it says in its field.
    ///
    /// # Errors
    /// Why that would be wrong, or cannot be told.
    pub fn as_field(self, editor: &Editor<'y>) -> Result<Fix, String> {
        let node = self.place()?;
        if self.is_said(node) {
            return Err("the field says something already".to_owned());
        }
        let value = self.entry.value;
        let profile = value.scalar().filter(|_| !value.resolved().is_template()).unwrap_or_default();
        let (value, reason) = match (profile, profile.strip_prefix("localhost/")) {
            // A node without AppArmor refuses a pod that asks for a profile, be it the default.
            ("runtime/default", _) if self.field == "appArmorProfile" => {
                let reason = "it is the default: where a node has AppArmor, its engine applies that profile unasked";
                return Ok(Fix::new("Take it out", Safety::Risky, reason, vec![self.removal(editor)?]));
            }
            ("runtime/default" | "docker/default", _) => (default_profile(), SECCOMP),
            (_, Some(file)) => {
                let value = Value::map([("type", Value::text("Localhost")), ("localhostProfile", Value::text(file))]);
                (value, if self.field == "appArmorProfile" { APPARMOR } else { SECCOMP_OF_NODE })
            }
            _ => return Err("what it names is no profile that the field knows, or none at all".to_owned()),
        };
        let edits = vec![self.set(editor, node, value)?, self.removal(editor)?];
        Ok(Fix::new("Write it as a field", Safety::Risky, reason, edits))
    }

    /// The edits that take it out, with the default profile in force: of seccomp by its field, which clusters read.
    ///
    /// # Errors
    /// Why that would be wrong, or cannot be told.
    pub fn as_default(self, editor: &Editor<'y>) -> Result<Vec<Edit>, String> {
        let removal = self.removal(editor)?;
        if self.field == "appArmorProfile" {
            return Ok(vec![removal]);
        }
        let node = self.place()?;
        if self.is_said(node) {
            return Ok(vec![removal]);
        }
        Ok(vec![self.set(editor, node, default_profile())?, removal])
    }

    /// Whom it is about.
    fn place(self) -> Result<Node<'y>, String> {
        match self.subject {
            "pod" | "defaultProfileName" => Ok(self.workload.pod),
            name => {
                let mut named = self.workload.containers().filter(|container| container.name() == name);
                Ok(named.next().ok_or("the pod has no container of that name")?.node)
            }
        }
    }

    fn is_said(self, node: Node<'y>) -> bool {
        !Setting::below(node, &["securityContext", self.field]).is_absent()
    }

    fn set(self, editor: &Editor<'y>, node: Node<'y>, value: Value) -> Result<Edit, String> {
        match self.workload.object.is_older_than(self.field) {
            Some(reason) => Err(reason),
            None => set_below(editor, node, &["securityContext", self.field], value),
        }
    }

    fn removal(self, editor: &Editor<'y>) -> Result<Edit, String> {
        let noted = self.workload.metadata.and_then(|metadata| metadata.get("annotations"));
        let noted = noted.ok_or("it has no annotations")?;
        editor.remove_key(noted, self.key).map_err(|refusal| refusal.to_string())
    }
}

fn default_profile() -> Value {
    Value::map([("type", Value::text("RuntimeDefault"))])
}
