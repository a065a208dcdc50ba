//! The build graph as a tree, for people.

use super::{
    Runs, Tone, at, image_name, registry_note, run_title, shown, shown_image, stage_name, summary, user,
    user_with_source,
};
use crate::model::graph::{
    BuildGraph, Builder, BuiltImage, Crossing, InputSource, Recipe, RecipeStage, Run, RunImage, System, Who,
};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const DOUBT: Style = AnsiColor::Yellow.on_default();

/// Prints `graph` as a tree.
///
/// # Errors
/// If `out` cannot be written.
pub fn graph_text(graph: &BuildGraph, out: &mut dyn Write) -> io::Result<()> {
    let runs = Runs::of(graph);
    let mut images: Vec<Vec<usize>> = vec![Vec::new(); graph.recipes.len()];
    for (at, image) in graph.images.iter().enumerate() {
        images[image.recipe].push(at);
    }
    for (recipe, images) in graph.recipes.iter().zip(&images) {
        let mut branches: Vec<Branch> =
            recipe.stages.iter().enumerate().map(|(at, stage)| of_stage(recipe, at, stage)).collect();
        branches.extend(images.iter().map(|&at| of_image(graph, at, &runs.built[at])));
        let note = if recipe.is_read { "" } else { " (not found)" };
        Branch::new(format!("{STRONG}{}{STRONG:#}{note}", shown(&recipe.name)), branches).print(out)?;
    }
    let pulled = graph.pulled.iter().zip(&runs.pulled).map(|(image, runs)| {
        let title = format!(
            "{}{FAINT}, {}{FAINT:#}, as {}",
            shown_image(&image.familiar),
            registry_note(image),
            coloured(&image.user, &user(&image.user))
        );
        Branch::new(title, runs.iter().map(|run| of_run(run)).collect())
    });
    let pulled: Vec<Branch> = pulled.collect();
    if !pulled.is_empty() {
        Branch::new(format!("{STRONG}images of registries{STRONG:#}"), pulled).print(out)?;
    }
    let hidden = runs.unknown.iter().map(|run| of_unknown(run));
    let hidden: Vec<Branch> = hidden.chain(graph.hidden_builds.iter().map(of_hidden_build)).collect();
    if !hidden.is_empty() {
        Branch::new(format!("{STRONG}hidden by variables{STRONG:#}"), hidden).print(out)?;
    }
    writeln!(out, "{}", summary(graph))
}

/// A line with what hangs below it.
struct Branch {
    text: String,
    below: Vec<Branch>,
}

impl Branch {
    fn new(text: String, below: Vec<Branch>) -> Self {
        Self { text, below }
    }

    fn leaf(text: String) -> Self {
        Self { text, below: Vec::new() }
    }

    /// Prints it at the margin. A tree is never more than five deep.
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.text)?;
        Self::print_below(&self.below, "", out)?;
        writeln!(out)
    }

    fn print_below(branches: &[Branch], margin: &str, out: &mut dyn Write) -> io::Result<()> {
        for (at, branch) in branches.iter().enumerate() {
            let is_last = at + 1 == branches.len();
            let (sign, deeper) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            writeln!(out, "{FAINT}{margin}{sign}{FAINT:#}{}", branch.text)?;
            Self::print_below(&branch.below, &format!("{margin}{deeper}"), out)?;
        }
        Ok(())
    }
}

fn coloured(who: &Who, text: &str) -> String {
    let style = match Tone::of(who) {
        Tone::Root => BAD,
        Tone::Other => GOOD,
        Tone::Unknown => DOUBT,
    };
    format!("{style}{text}{style:#}")
}

fn of_stage(recipe: &Recipe, number: usize, stage: &RecipeStage) -> Branch {
    let source = |source: &InputSource| match source {
        InputSource::Stage(index) => {
            stage_name(*index, recipe.stages.get(*index).and_then(|stage| stage.name.as_deref()))
        }
        InputSource::Image(name) => shown_image(name),
        InputSource::Scratch => "scratch".to_owned(),
        InputSource::Unknown(written) => format!("{DOUBT}{}{DOUBT:#}", shown(written)),
    };
    let bases: Vec<String> =
        stage.inputs.iter().filter(|input| input.is_base).map(|input| source(&input.source)).collect();
    let copied: Vec<String> =
        stage.inputs.iter().filter(|input| !input.is_base).map(|input| source(&input.source)).collect();
    let also = if copied.is_empty() { String::new() } else { format!(", copies from {}", copied.join(", ")) };
    let title = format!(
        "{} from {}{also}, as {}",
        stage_name(number, stage.name.as_deref()),
        bases.join(", "),
        coloured(&stage.user, &user(&stage.user)),
    );
    Branch::new(title, stage.crossings.iter().map(of_crossing).collect())
}

fn of_image(graph: &BuildGraph, at: usize, runs: &[&Run]) -> Branch {
    let image = &graph.images[at];
    let mut below: Vec<Branch> = image.builders.iter().map(of_builder).collect();
    if below.is_empty() {
        below.push(Branch::leaf(format!("{FAINT}nobody builds it here{FAINT:#}")));
    }
    below.extend(runs.iter().map(|run| of_run(run)));
    let names = if image.names.len() > 1 { format!(" (also {})", other_names(image)) } else { String::new() };
    let stage = match image.stage {
        Some(stage) => format!(
            " = {}",
            stage_name(stage, graph.recipes[image.recipe].stages.get(stage).and_then(|stage| stage.name.as_deref()))
        ),
        None => String::new(),
    };
    let title = format!(
        "{STRONG}{}{STRONG:#}{names}{stage}, as {}",
        image_name(graph, image),
        coloured(&image.user, &user_with_source(&image.user)),
    );
    Branch::new(title, below)
}

fn other_names(image: &BuiltImage) -> String {
    image.names[1..].iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")
}

fn of_builder(builder: &Builder) -> Branch {
    Branch::leaf(format!("built by {}", builder_title(builder)))
}

fn builder_title(builder: &Builder) -> String {
    let mut title = titled(builder.system, &builder.name, &at(&builder.place));
    let names: Vec<String> = builder.arguments.iter().map(|(name, _)| shown(name)).collect();
    if !names.is_empty() {
        title.extend([", args ", &names.join(", ")]);
    }
    if !builder.secrets.is_empty() {
        let secrets: Vec<String> = builder.secrets.iter().map(|secret| shown(secret)).collect();
        title.extend([", secrets ", &secrets.join(", ")]);
    }
    title
}

/// An entry of a file with its place.
fn titled(system: System, name: &str, place: &str) -> String {
    format!("{} {FAINT}{place}{FAINT:#}", system.titled(&shown(name)))
}

fn of_run(run: &Run) -> Branch {
    let refuses = if run.refuses_root { ", refuses root" } else { "" };
    let overrides = if run.caller.user.is_some() { user_with_source(&run.user) } else { user(&run.user) };
    let title = format!(
        "run by {}, as {}{refuses}",
        titled(run.caller.system, &run.caller.name, &at(&run.caller.place)),
        coloured(&run.user, &overrides),
    );
    Branch::new(title, run.crossings.iter().map(of_crossing).collect())
}

fn of_unknown(run: &Run) -> Branch {
    let what = match &run.image {
        RunImage::Unknown(what) if !what.is_empty() => shown(what),
        RunImage::Unknown(_) | RunImage::Built(_) | RunImage::Pulled(_) => "an image".to_owned(),
    };
    let title = format!("{} runs {what}, as {}", run_title(run), coloured(&run.user, &user(&run.user)));
    Branch::new(
        format!("{title} {FAINT}{}{FAINT:#}", at(&run.caller.place)),
        run.crossings.iter().map(of_crossing).collect(),
    )
}

fn of_hidden_build(builder: &Builder) -> Branch {
    Branch::leaf(format!("{} builds a Dockerfile that a variable or an address hides", builder_title(builder)))
}

fn of_crossing(crossing: &Crossing) -> Branch {
    let style = if crossing.kind.is_grave() { BAD } else { DOUBT };
    Branch::leaf(format!("{style}! {}{style:#} {FAINT}{}{FAINT:#}", shown(&crossing.sentence()), at(&crossing.place)))
}
