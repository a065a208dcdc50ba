//! The build graph as boxes and arrows, for whatever draws those.

use super::{Tone, at, image_name, registry_note, run_title, shown, shown_image, stage_name, summary, user};
use crate::model::graph::{BuildGraph, Crossing, InputSource, RunImage};

/// Boxes and arrows. Arrows lead from what is taken to who takes it.
pub(super) struct Drawing {
    /// The Dockerfiles.
    pub(super) groups: Vec<String>,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    /// The directory that everything lies in.
    pub(super) directory: String,
    /// What there is, in a line.
    pub(super) summary: String,
}

/// A box.
pub(super) struct Node {
    pub(super) layer: Layer,
    /// The Dockerfile that it is part of.
    pub(super) group: Option<usize>,
    pub(super) title: String,
    /// Who runs it.
    pub(super) user: String,
    /// What is said of it, below its title.
    pub(super) notes: Vec<String>,
    /// What it lets across a trust boundary.
    pub(super) crossings: Vec<Mark>,
    pub(super) tone: Tone,
}

/// Something that crosses a trust boundary.
pub(super) struct Mark {
    pub(super) text: String,
    pub(super) is_grave: bool,
}

/// What a box is; they stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// An image of a registry.
    Pulled,
    /// A stage.
    Stage,
    /// An image that is built.
    Image,
    /// A container.
    Run,
}

impl Layer {
    /// The letter that ids of such boxes begin with.
    pub(super) fn letter(self) -> char {
        match self {
            Layer::Pulled => 'p',
            Layer::Stage => 's',
            Layer::Image => 'i',
            Layer::Run => 'r',
        }
    }
}

/// An arrow.
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether only files are copied.
    pub(super) is_copy: bool,
}

impl Node {
    /// Its title and everything that is said of it, a line each.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let marks =
            self.crossings.iter().map(|mark| format!("{} {}", if mark.is_grave { "!" } else { "-" }, mark.text));
        let user = format!("as {}", self.user);
        std::iter::once(self.title.clone()).chain(self.notes.iter().cloned()).chain([user]).chain(marks)
    }
}

/// So many lines about crossings stand in one box.
const MOST_MARKS: usize = 12;

fn marks(crossings: &[Crossing]) -> Vec<Mark> {
    let mark = |crossing: &Crossing| Mark { text: shown(&crossing.sentence()), is_grave: crossing.kind.is_grave() };
    let mut marks: Vec<Mark> = crossings.iter().take(MOST_MARKS).map(mark).collect();
    let left = crossings.len().saturating_sub(MOST_MARKS);
    if left > 0 {
        marks.push(Mark { text: format!("and {left} more"), is_grave: false });
    }
    marks
}

impl Drawing {
    /// The drawing of `graph`, with paths as they are seen from the directory that all lie in.
    pub(super) fn of(graph: &BuildGraph) -> Self {
        let (directory, graph) = &graph.from_its_directory();
        let groups = graph.recipes.iter().map(|recipe| shown(&recipe.name)).collect();
        let mut drawing =
            Self { groups, nodes: Vec::new(), edges: Vec::new(), directory: shown(directory), summary: summary(graph) };
        for image in &graph.pulled {
            drawing.nodes.push(Node {
                layer: Layer::Pulled,
                group: None,
                title: shown_image(&image.familiar),
                user: user(&image.user),
                notes: vec![registry_note(image)],
                crossings: Vec::new(),
                tone: Tone::of(&image.user),
            });
        }
        let stages = drawing.add_stages(graph);
        let first_image = drawing.nodes.len();
        for image in &graph.images {
            drawing.add_image(graph, image, &stages);
        }
        for run in &graph.runs {
            let mut notes = vec![at(&run.caller.place)];
            if run.refuses_root {
                notes.push("is started only without root".to_owned());
            }
            if let RunImage::Unknown(written) = &run.image
                && !written.is_empty()
            {
                notes.insert(0, format!("runs {}", shown(written)));
            }
            let to = drawing.nodes.len();
            drawing.nodes.push(Node {
                layer: Layer::Run,
                group: None,
                title: run_title(run),
                user: user(&run.user),
                notes,
                crossings: marks(&run.crossings),
                tone: Tone::of(&run.user),
            });
            let from = match run.image {
                RunImage::Built(image) => first_image + image,
                RunImage::Pulled(image) => image,
                RunImage::Unknown(_) => continue,
            };
            drawing.edges.push(Edge { from, to, is_copy: false });
        }
        drawing
    }

    /// Adds the stages of all Dockerfiles; answers where those of each begin.
    fn add_stages(&mut self, graph: &BuildGraph) -> Vec<usize> {
        let mut firsts = Vec::with_capacity(graph.recipes.len());
        for (group, recipe) in graph.recipes.iter().enumerate() {
            let first = self.nodes.len();
            firsts.push(first);
            for (number, stage) in recipe.stages.iter().enumerate() {
                let to = self.nodes.len();
                let mut notes = Vec::new();
                for input in &stage.inputs {
                    let from = match &input.source {
                        InputSource::Stage(index) if *index < number => first + index,
                        InputSource::Image(name) => match graph.pulled.binary_search_by(|image| image.name.cmp(name)) {
                            Ok(at) => at,
                            Err(_) => continue,
                        },
                        InputSource::Unknown(written) => {
                            notes.insert(0, format!("from {}", shown(written)));
                            continue;
                        }
                        InputSource::Scratch => {
                            notes.insert(0, "from scratch".to_owned());
                            continue;
                        }
                        InputSource::Stage(_) => continue,
                    };
                    self.edges.push(Edge { from, to, is_copy: !input.is_base });
                }
                self.nodes.push(Node {
                    layer: Layer::Stage,
                    group: Some(group),
                    title: stage_name(number, stage.name.as_deref()),
                    user: user(&stage.user),
                    notes,
                    crossings: marks(&stage.crossings),
                    tone: Tone::of(&stage.user),
                });
            }
        }
        firsts
    }

    fn add_image(&mut self, graph: &BuildGraph, image: &crate::model::graph::BuiltImage, stages: &[usize]) {
        let mut notes = Vec::new();
        for builder in image.builders.iter().take(MOST_MARKS) {
            let mut note = format!("built by {} {}", builder.system.titled(&shown(&builder.name)), at(&builder.place));
            if !builder.secrets.is_empty() {
                note.push_str(", with secrets");
            }
            notes.push(note);
        }
        if image.builders.is_empty() {
            notes.push("nobody builds it here".to_owned());
        }
        let to = self.nodes.len();
        if let Some(stage) = image.stage {
            self.edges.push(Edge { from: stages[image.recipe] + stage, to, is_copy: false });
        }
        self.nodes.push(Node {
            layer: Layer::Image,
            group: None,
            title: image_name(graph, image),
            user: user(&image.user),
            notes,
            crossings: Vec::new(),
            tone: Tone::of(&image.user),
        });
    }

    /// The id of the box at `at`: a letter and a number.
    pub(super) fn id(&self, at: usize) -> String {
        format!("{}{at}", self.nodes[at].layer.letter())
    }

    /// The boxes with their numbers, those of each Dockerfile apart, then those of none.
    pub(super) fn grouped(&self) -> (Vec<Vec<usize>>, Vec<usize>) {
        let mut grouped = vec![Vec::new(); self.groups.len()];
        let mut alone = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            match node.group {
                Some(group) => grouped[group].push(at),
                None => alone.push(at),
            }
        }
        (grouped, alone)
    }
}
