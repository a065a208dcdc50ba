//! Scripts of the build context that start an image.

use super::{path::file_name, shipped::ShippedFiles, stage::Stage, step::Step};
use crate::{
    context::{BuildContext, Found},
    syntax::shell::{self, Dialect, Invocation, Script, dialect_of_shebang},
};

/// A shell script that starts an image.
#[derive(Debug)]
pub struct StartScript {
    /// Where it lies in the build context.
    pub file: Found,
    /// What it says.
    pub script: Script,
}

/// So many words of start commands are looked up.
const MOST_WORDS: usize = 16;

impl Stage<'_> {
    /// The shell scripts of the build context that the start commands run, or name as what to run.
    ///
    /// Where the file does not say which file of the context it is, the likeliest one is taken.
    pub fn start_scripts(self, context: &BuildContext<'_>) -> Vec<StartScript> {
        let mut names: Vec<String> = Vec::new();
        for command in self.start_steps().into_iter().flat_map(Step::commands) {
            let program = command.invocation().and_then(Invocation::path);
            for word in command.command.words() {
                let text = word.text();
                let name = file_name(&text);
                let is_named = name.contains('.') || name.contains("entrypoint") || name.contains("start");
                if (program == Some(&*text) || is_named)
                    && !names.iter().any(|name| *name == text)
                    && names.len() < MOST_WORDS
                {
                    names.push(text.into_owned());
                }
            }
        }
        let shipped = self.shipped_files(context);
        let files = names.iter().filter_map(|name| self.likely_file(context, &shipped, name));
        let scripts = files.filter(is_shell_script).map(|file| {
            let dialect = dialect_of_shebang(&file.text).unwrap_or(Dialect::Bash);
            StartScript { script: shell::parse(&file.text, dialect), file }
        });
        scripts.collect()
    }

    /// The file of the build context that a word of a start command most likely means.
    fn likely_file(self, context: &BuildContext<'_>, shipped: &ShippedFiles<'_, '_>, word: &str) -> Option<Found> {
        let directory = self.workdir().path.known().unwrap_or("/");
        let name = file_name(word);
        let copied = || {
            let sources: Vec<String> = self.chain_steps().flat_map(Step::sources).map(|source| source.text).collect();
            let exact = sources.iter().find(|source| file_name(source) == name).cloned();
            let all = || sources.iter().any(|source| source == "." || source == "./").then(|| name.to_owned());
            exact.or_else(all).and_then(|source| context.nearest(&source))
        };
        let is_named = name.contains('.') || name.contains("entrypoint") || name.contains("start");
        let beside = || is_named.then(|| context.nearest(name)).flatten();
        shipped.program(word, directory).or_else(copied).or_else(beside)
    }
}

/// Whether a shell reads the file: its first line says so, or none does and it is no program of another kind.
fn is_shell_script(file: &Found) -> bool {
    if let Some(dialect) = dialect_of_shebang(&file.text) {
        return dialect.is_bourne();
    }
    let name = file_name(&file.path);
    let is_text = !file.text.starts_with(b"#!") && !file.text.iter().take(512).any(|&byte| byte == 0);
    is_text && (name.ends_with(".sh") || name.ends_with(".bash") || !name.contains('.'))
}
