//! Takes out of a role of a cluster what it should not allow.

use crate::{
    model::kubernetes::rbac::{Allowed, Grant, Role},
    rule::{Fix, Safety},
    syntax::yaml::Editor,
};

/// The fix that takes the resource out of the rule that allows something on it, and the rule with it if it speaks of
/// nothing else.
///
/// # Errors
/// Why there is none.
pub fn without_access<'y>(
    editor: &Editor<'y>,
    role: Role<'y>,
    grant: &Grant<'y>,
    allowed: Allowed<'y>,
) -> Result<Fix, String> {
    if allowed.resource.scalar().is_some_and(|name| name.starts_with('*')) {
        return Err("which of the resources that the wildcard stands for are needed is not known".to_owned());
    }
    let item = match (grant.is_of_one_resource(), role.has_one_rule()) {
        (false, _) => allowed.resource,
        (true, false) => grant.node,
        (true, true) => return Err("the role allows nothing else: who is bound to it has to be looked at".to_owned()),
    };
    let edit = editor.remove_item(item).map_err(|refusal| refusal.to_string())?;
    let reason = "whoever has the role may need it: ask the log of the server who uses it";
    Ok(Fix::new("Take it out of the role", Safety::Manual, reason, vec![edit]))
}
