//! What is wrong with a configuration file, shown in it.

use crate::{emit::visible::visible, policy::Complaint};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::io::{self, Write};

/// Prints `complaints` about the configuration `text` of the file `name`.
///
/// # Errors
/// If `out` does not take it.
pub fn complaints(name: &str, text: &str, complaints: &[Complaint], out: &mut dyn Write) -> io::Result<()> {
    let name = visible(name);
    for complaint in complaints {
        let place = AnnotationKind::Primary.span(complaint.span.range());
        let snippet = Snippet::source(text).path(&*name).annotation(place);
        let title = visible(&complaint.message);
        let group = Level::ERROR.primary_title(&*title).element(snippet);
        let help = complaint.help.as_deref().map(|help| Level::HELP.message(visible(help)));
        let report: [Group<'_>; 1] = [group.elements(help)];
        writeln!(out, "{}\n", Renderer::styled().render(&report))?;
    }
    Ok(())
}
