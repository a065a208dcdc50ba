//! What a rule is about, for the finding under the cursor.

use super::{client::Client, diagnostics, document::Document};
use crate::{
    docs,
    report::Ranked,
    rule::{Fix, Safety},
};
use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind, Position};

/// The page for `position`; `None` where nothing was found. Of several findings the one about the fewest bytes is first.
pub(super) fn at(position: Position, document: &Document, client: Client) -> Option<Hover> {
    let offset = document.lines.offset(&document.text, position) as u32;
    let is_meant = |ranked: &&Ranked| {
        let span = ranked.finding.primary.span;
        span.start <= offset && offset <= span.end
    };
    let mut meant: Vec<&Ranked> = document.findings().iter().filter(is_meant).collect();
    meant.sort_by_key(|ranked| ranked.finding.primary.span.len());
    let range = diagnostics::range(document, meant.first()?.finding.primary.span);
    let pages: Vec<String> = meant.into_iter().map(page).collect();
    let kind = if client.renders_markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    let contents = Contents::MarkupContent(MarkupContent { kind, value: pages.join("\n---\n\n") });
    Some(Hover { contents, range: Some(range) })
}

/// What was found, what can be done about it here, and what the rule says.
fn page(ranked: &Ranked) -> String {
    let finding = &ranked.finding;
    let declined = finding.declined.iter().map(|why| format!("- not repaired: {why}\n"));
    let repairs: String = finding.fixes.iter().map(repair).chain(declined).collect();
    let repairs = if repairs.is_empty() { repairs } else { format!("\nHere:\n\n{repairs}") };
    let (level, rule) = (ranked.level.name(), ranked.rule);
    format!("**{level}: {}** (`{}`)\n{repairs}\n{}", finding.message, rule.id, docs::rule_summary(rule))
}

fn repair(fix: &Fix) -> String {
    let Fix { title, reason, .. } = fix;
    let safety = match fix.safety {
        Safety::Safe => "safe",
        Safety::Risky => "risky",
        Safety::Manual => "by hand",
    };
    format!("- {title} ({safety}): {reason}\n")
}
