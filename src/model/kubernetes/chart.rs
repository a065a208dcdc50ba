//! What the values of a chart decide.

mod passed;
mod rendered;

pub use rendered::Rendered;

use crate::{
    context::BuildContext,
    syntax::yaml::{self, Node},
};

/// The paths below the values of a chart that an action of a template speaks of.
pub fn values_in(action: &str) -> impl Iterator<Item = &str> {
    let words = action.split(|c: char| c.is_ascii_whitespace() || matches!(c, '(' | ')' | '{' | '}' | '"'));
    words.filter_map(|word| word.strip_prefix(".Values.").or_else(|| word.strip_prefix("$.Values.")))
}

/// Whether the chart's own values have something at `path` that a condition takes for true.
pub fn is_set_by_chart(context: &BuildContext<'_>, path: &str) -> bool {
    let Some(values) = context.nearest("values.yaml") else { return false };
    let parsed = yaml::parse(&values.text);
    let value = parsed.tree.documents().next().and_then(|top| path.split('.').try_fold(top, Node::get));
    value.is_some_and(|value| {
        let is_empty_text = value.scalar().is_some_and(|text| text.is_empty() || text == "0");
        let is_empty = value.scalar().is_none() && value.children().next().is_none();
        !value.is_null() && value.boolean() != Some(false) && !is_empty_text && !is_empty
    })
}

#[cfg(test)]
mod tests {
    use super::values_in;

    #[test]
    fn an_action_names_the_values_that_it_reads() {
        let paths = |action| values_in(action).collect::<Vec<_>>();
        assert_eq!(paths("{{- if and .Values.a.b (not $.Values.c) }}"), ["a.b", "c"]);
        assert_eq!(paths("{{ include \"x\" (dict \"value\" .Values.secret \"context\" $) }}"), ["secret"]);
        assert!(paths("{{ if .Release.IsInstall }}").is_empty());
    }
}
