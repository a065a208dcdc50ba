//! The build graph as a picture: an SVG that needs no font, script or style from elsewhere.
//!
//! Everything about one Dockerfile stands in a band of its own, so that bands never touch and a picture of many files is
//! as easy to read as one of few: images of registries, stages, what is made of them, what runs.

use super::{
    Tone,
    drawing::{Drawing, Edge, Layer, Node},
};
use crate::{emit::xml::xml, model::graph::BuildGraph};
use std::io::{self, Write};

/// Prints `graph` as an SVG.
///
/// # Errors
/// If `out` cannot be written.
pub fn graph_svg(graph: &BuildGraph, out: &mut dyn Write) -> io::Result<()> {
    let drawing = Drawing::of(graph);
    let picture = Picture::of(&drawing);
    picture.print(&drawing, out)
}

/// Sizes in pixels.
const MARGIN: f64 = 28.0;
const GAP: f64 = 14.0;
const BAND_GAP: f64 = 18.0;
const COLUMN_GAP: f64 = 64.0;
const FRAME: f64 = 14.0;
const LINE: f64 = 16.0;
const PADDING: f64 = 10.0;
const HEAD: f64 = 92.0;
const FOOT: f64 = 62.0;
/// Widths of a letter of a title and of a note in the widest of the fonts that are asked for.
const TITLE_LETTER: f64 = 7.9;
const NOTE_LETTER: f64 = 6.7;

/// The longest line of a box.
const LONGEST: usize = 56;

/// Stages that take from each other stand in so many columns.
const MOST_COLUMNS: usize = 6;

/// A drawing whose boxes have places.
struct Picture {
    places: Vec<Place>,
    /// Frames around the stages of a Dockerfile, with its name.
    frames: Vec<(Place, usize)>,
    bands: Vec<Place>,
    /// What stands above the columns.
    headings: Vec<(f64, &'static str)>,
    width: f64,
    height: f64,
}

/// A rectangle.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Place {
    fn middle(self) -> f64 {
        self.y + self.height / 2.0
    }

    fn right(self) -> f64 {
        self.x + self.width
    }

    fn bottom(self) -> f64 {
        self.y + self.height
    }
}

/// Columns of a picture: images of registries, stages by depth, images, runs.
struct Columns {
    /// The column of each box.
    of: Vec<usize>,
    starts: Vec<f64>,
    widths: Vec<f64>,
}

impl Columns {
    fn of(drawing: &Drawing) -> Self {
        let depths = depths(drawing);
        let deepest = depths.iter().copied().max().unwrap_or_default();
        let of: Vec<usize> = drawing
            .nodes
            .iter()
            .zip(&depths)
            .map(|(node, depth)| match node.layer {
                Layer::Pulled => 0,
                Layer::Stage => 1 + depth,
                Layer::Image => deepest + 2,
                Layer::Run => deepest + 3,
            })
            .collect();
        let mut widths = vec![0.0_f64; deepest + 4];
        for (node, &column) in drawing.nodes.iter().zip(&of) {
            widths[column] = widths[column].max(width_of(node));
        }
        let mut x = MARGIN + FRAME;
        let mut starts = Vec::with_capacity(widths.len());
        for width in &widths {
            starts.push(x);
            x += if *width > 0.0 { width + COLUMN_GAP } else { 0.0 };
        }
        Self { of, starts, widths }
    }
}

/// How many stages of its Dockerfile each stage stands behind, at the most that there are columns for.
fn depths(drawing: &Drawing) -> Vec<usize> {
    let mut depths = vec![0; drawing.nodes.len()];
    // A stage takes only from earlier ones, and its edges come in its order.
    for edge in &drawing.edges {
        let is_between_stages =
            drawing.nodes[edge.from].layer == Layer::Stage && drawing.nodes[edge.to].layer == Layer::Stage;
        if is_between_stages {
            depths[edge.to] = depths[edge.to].max((depths[edge.from] + 1).min(MOST_COLUMNS - 1));
        }
    }
    depths
}

fn width_of(node: &Node) -> f64 {
    let letters = |text: &str| text.chars().map(|letter| if letter >= '\u{1100}' { 2 } else { 1 }).sum::<usize>();
    let title = number(letters(&cut(&node.title))) * TITLE_LETTER + number(letters(&node.user)) * NOTE_LETTER + 30.0;
    let notes = node.notes.iter().chain(node.crossings.iter().map(|mark| &mark.text));
    let notes = notes.map(|text| number(letters(&cut(text))) * NOTE_LETTER + 16.0);
    notes.fold(title, f64::max) + 2.0 * PADDING
}

fn height_of(node: &Node) -> f64 {
    let lines = 1 + node.notes.len() + node.crossings.len();
    number(lines) * LINE + 1.5 * PADDING
}

/// No picture has more of anything.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A text that fits into a box.
fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// The band of each box: that of its Dockerfile; of an image of a registry, that of the first one that takes it.
fn bands(drawing: &Drawing) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let mut bands: Vec<usize> = drawing.nodes.iter().map(|node| node.group.unwrap_or(NONE)).collect();
    for Edge { from, to, .. } in &drawing.edges {
        let (layer, other) = (drawing.nodes[*from].layer, drawing.nodes[*to].layer);
        match (layer, other) {
            (Layer::Pulled, Layer::Stage) if bands[*from] == NONE => bands[*from] = bands[*to],
            (Layer::Stage, Layer::Image) | (Layer::Image, Layer::Run) => bands[*to] = bands[*from],
            (Layer::Pulled | Layer::Stage | Layer::Image | Layer::Run, _) => {}
        }
    }
    let mut next = drawing.groups.len();
    // What no Dockerfile has to do with has a band of its own, with all that runs it.
    for (at, node) in drawing.nodes.iter().enumerate() {
        if bands[at] == NONE && node.layer == Layer::Pulled {
            bands[at] = next;
            next += 1;
        }
    }
    for Edge { from, to, .. } in &drawing.edges {
        if bands[*to] == NONE {
            bands[*to] = bands[*from];
        }
    }
    bands.iter_mut().filter(|band| **band == NONE).for_each(|band| *band = next);
    bands
}

impl Picture {
    fn of(drawing: &Drawing) -> Self {
        let columns = Columns::of(drawing);
        let of_band = bands(drawing);
        let count = of_band.iter().max().map_or(0, |last| last + 1);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        // Images of registries stand in the order in which stages take them.
        let taken = drawing.edges.iter().map(|edge| edge.from).filter(|&at| drawing.nodes[at].layer == Layer::Pulled);
        let mut is_placed = vec![false; drawing.nodes.len()];
        for at in taken.chain(0..drawing.nodes.len()) {
            if !std::mem::replace(&mut is_placed[at], true) {
                members[of_band[at]].push(at);
            }
        }
        let width = columns.starts.last().zip(columns.widths.last()).map_or(0.0, |(start, width)| start + width);
        let width = (width + FRAME + MARGIN).max(640.0);
        let mut picture = Self {
            places: vec![Place::default(); drawing.nodes.len()],
            frames: Vec::new(),
            bands: Vec::new(),
            headings: Vec::new(),
            width,
            height: 0.0,
        };
        let mut y = HEAD;
        for (band, nodes) in members.iter().enumerate().filter(|(_, nodes)| !nodes.is_empty()) {
            y = picture.place_band(drawing, &columns, nodes, band, y) + BAND_GAP;
        }
        picture.height = y - BAND_GAP + FOOT + MARGIN;
        let last = columns.starts.len() - 1;
        let headings = [(0, "registries"), (1, "stages"), (last - 1, "images"), (last, "runs")];
        let is_used = |(column, _): &(usize, &str)| columns.widths[*column] > 0.0;
        picture.headings =
            headings.into_iter().filter(is_used).map(|(column, text)| (columns.starts[column], text)).collect();
        picture
    }

    /// Places the boxes of one band below `top`; answers where it ends.
    fn place_band(&mut self, drawing: &Drawing, columns: &Columns, nodes: &[usize], band: usize, top: f64) -> f64 {
        // Stages share one column of rows, whatever column they stand in: no arrow to a later one crosses an earlier one.
        let row_of = |at: usize| match drawing.nodes[at].layer {
            Layer::Stage => 1,
            Layer::Pulled | Layer::Image | Layer::Run => columns.of[at],
        };
        let mut heights = vec![0.0_f64; columns.starts.len()];
        for &at in nodes {
            let column = &mut heights[row_of(at)];
            *column += height_of(&drawing.nodes[at]) + if *column > 0.0 { GAP } else { 0.0 };
        }
        let has_frame = nodes.iter().any(|&at| drawing.nodes[at].group.is_some());
        let above = if has_frame { FRAME + LINE } else { FRAME };
        let tallest = heights.iter().copied().fold(0.0, f64::max);
        let height = above + tallest + FRAME;
        let mut next: Vec<f64> = heights.iter().map(|height| top + above + (tallest - height) / 2.0).collect();
        for &at in nodes {
            let (column, row) = (columns.of[at], &mut next[row_of(at)]);
            let height = height_of(&drawing.nodes[at]);
            self.places[at] = Place { x: columns.starts[column], y: *row, width: columns.widths[column], height };
            *row += height + GAP;
        }
        self.bands.push(Place { x: MARGIN - FRAME, y: top, width: self.width - 2.0 * (MARGIN - FRAME), height });
        if has_frame {
            self.frames.push((self.frame(drawing, nodes), band));
        }
        top + height
    }

    /// What lies around the stages among `nodes`.
    fn frame(&self, drawing: &Drawing, nodes: &[usize]) -> Place {
        let stages = nodes.iter().filter(|&&at| drawing.nodes[at].layer == Layer::Stage).map(|&at| self.places[at]);
        let around = stages.reduce(|a, b| {
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            Place { x, y, width: a.right().max(b.right()) - x, height: a.bottom().max(b.bottom()) - y }
        });
        let around = around.unwrap_or_default();
        Place {
            x: around.x - FRAME,
            y: around.y - FRAME - LINE,
            width: around.width + 2.0 * FRAME,
            height: around.height + 2.0 * FRAME + LINE,
        }
    }

    fn print(&self, drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
        let (width, height) = (self.width.ceil(), self.height.ceil());
        writeln!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Build graph\">",
        )?;
        writeln!(out, "<style>{STYLE}</style>")?;
        writeln!(
            out,
            "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path class=\"tip\" d=\"M0 0.8 8 4 0 7.2z\"/></marker></defs>"
        )?;
        writeln!(out, "<rect class=\"page\" width=\"{width}\" height=\"{height}\"/>")?;
        self.print_head(drawing, out)?;
        for place in &self.bands {
            rectangle("band", *place, 14.0, out)?;
        }
        for (place, group) in &self.frames {
            rectangle("frame", *place, 10.0, out)?;
            let (x, y) = (place.x + 12.0, place.y + 17.0);
            let name = &drawing.groups[*group];
            writeln!(out, "<text class=\"group\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", xml(&cut(name)))?;
        }
        for edge in &drawing.edges {
            self.print_edge(drawing, edge, out)?;
        }
        for (node, place) in drawing.nodes.iter().zip(&self.places) {
            print_node(node, *place, out)?;
        }
        self.print_legend(out)?;
        writeln!(out, "</svg>")
    }

    fn print_head(&self, drawing: &Drawing, out: &mut dyn Write) -> io::Result<()> {
        let title = if drawing.directory.is_empty() { "Build graph" } else { drawing.directory.trim_end_matches('/') };
        writeln!(out, "<text class=\"title\" x=\"{MARGIN}\" y=\"38\">{}</text>", xml(&cut(title)))?;
        writeln!(out, "<text class=\"note\" x=\"{MARGIN}\" y=\"57\">{}</text>", xml(&drawing.summary))?;
        for (x, text) in &self.headings {
            writeln!(out, "<text class=\"heading\" x=\"{x:.1}\" y=\"82\">{text}</text>")?;
        }
        Ok(())
    }

    fn print_edge(&self, drawing: &Drawing, edge: &Edge, out: &mut dyn Write) -> io::Result<()> {
        let (from, to) = (self.places[edge.from], self.places[edge.to]);
        let mut class = "edge".to_owned();
        if edge.is_copy {
            class.push_str(" copy");
        }
        if drawing.nodes[edge.to].layer == Layer::Run && drawing.nodes[edge.to].tone == Tone::Root {
            class.push_str(" to-root");
        }
        let (x1, y1, y2) = (from.right(), from.middle(), to.middle());
        if from.right() < to.x {
            let x2 = to.x;
            let bend = ((x2 - x1) / 2.0).max(24.0);
            return writeln!(
                out,
                "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}\"/>",
                x1 + bend,
                x2 - bend,
            );
        }
        // Both stand in one column: around on the right.
        let x2 = to.right();
        let far = x1.max(x2) + COLUMN_GAP / 2.0;
        writeln!(
            out,
            "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}C{far:.1} {y1:.1} {far:.1} {y2:.1} {x2:.1} {y2:.1}\"/>"
        )
    }

    fn print_legend(&self, out: &mut dyn Write) -> io::Result<()> {
        let y = self.height - FOOT / 2.0 - 6.0;
        let mut x = MARGIN;
        for (class, text) in
            [("root", "runs as root"), ("other", "runs as somebody else"), ("unknown", "nobody can tell")]
        {
            rectangle(&format!("pill {class}"), Place { x, y: y - 10.0, width: 22.0, height: 13.0 }, 6.5, out)?;
            writeln!(out, "<text class=\"note\" x=\"{:.1}\" y=\"{y:.1}\">{text}</text>", x + 29.0)?;
            x += number(text.len()) * NOTE_LETTER + 56.0;
        }
        for (class, text) in [("edge", "starts from, is made of, runs"), ("edge copy", "copies files of")] {
            let line = y - 3.5;
            writeln!(out, "<path class=\"{class}\" d=\"M{x:.1} {line:.1}H{:.1}\"/>", x + 26.0)?;
            writeln!(out, "<text class=\"note\" x=\"{:.1}\" y=\"{y:.1}\">{text}</text>", x + 34.0)?;
            x += number(text.len()) * NOTE_LETTER + 60.0;
        }
        let (mut x, y) = (MARGIN, y + 22.0);
        for (class, text) in
            [("grave", "gives the host away, or brings in what nobody checked"), ("plain", "crosses the boundary")]
        {
            writeln!(out, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>", x + 11.0, y - 3.5)?;
            writeln!(out, "<text class=\"note\" x=\"{:.1}\" y=\"{y:.1}\">{text}</text>", x + 29.0)?;
            x += number(text.len()) * NOTE_LETTER + 56.0;
        }
        Ok(())
    }
}

fn rectangle(class: &str, place: Place, radius: f64, out: &mut dyn Write) -> io::Result<()> {
    let Place { x, y, width, height } = place;
    writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\"/>"
    )
}

fn print_node(node: &Node, place: Place, out: &mut dyn Write) -> io::Result<()> {
    let tone = node.tone.name();
    write!(out, "<g><title>")?;
    for (at, line) in node.lines().enumerate() {
        write!(out, "{}{}", if at == 0 { "" } else { "\n" }, xml(&line))?;
    }
    writeln!(out, "</title>")?;
    rectangle(&format!("box {tone}"), place, 8.0, out)?;
    let bar = Place { x: place.x, y: place.y + 8.0, width: 3.0, height: place.height - 16.0 };
    rectangle(&format!("bar {tone}"), bar, 1.5, out)?;
    let left = place.x + PADDING + 3.0;
    let mut y = place.y + PADDING + 10.0;
    writeln!(out, "<text class=\"name\" x=\"{left:.1}\" y=\"{y:.1}\">{}</text>", xml(&cut(&node.title)))?;
    let user = cut(&node.user);
    let width = number(user.chars().count()) * NOTE_LETTER + 14.0;
    let pill = Place { x: place.right() - width - 8.0, y: y - 12.0, width, height: 16.0 };
    rectangle(&format!("pill {tone}"), pill, 8.0, out)?;
    let middle = pill.x + width / 2.0;
    writeln!(out, "<text class=\"user\" x=\"{middle:.1}\" y=\"{:.1}\">{}</text>", y - 0.5, xml(&user))?;
    for note in &node.notes {
        y += LINE;
        writeln!(out, "<text class=\"note\" x=\"{left:.1}\" y=\"{y:.1}\">{}</text>", xml(&cut(note)))?;
    }
    for mark in &node.crossings {
        y += LINE;
        let class = if mark.is_grave { "grave" } else { "plain" };
        writeln!(out, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\"/>", left + 4.0, y - 3.8)?;
        writeln!(
            out,
            "<text class=\"mark {class}\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            left + 13.0,
            xml(&cut(&mark.text))
        )?;
    }
    writeln!(out, "</g>")
}

/// Colours for light and dark pages. Each names fonts that systems have, and ends in a kind of font.
const STYLE: &str = "\
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:11px;fill:#4a5568}\
.title,.heading{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,'DejaVu Sans',sans-serif}\
.title{font-size:20px;font-weight:700;fill:#1a202c}\
.heading{font-size:11px;font-weight:600;letter-spacing:.08em;text-transform:uppercase;fill:#8a94a6}\
.group{font-weight:700;fill:#4a5568}\
.name{font-size:12.5px;font-weight:700;fill:#1a202c}\
.user{font-weight:700;fill:#fff;text-anchor:middle;font-size:10.5px}\
.page{fill:#fff}.band{fill:#f7f8fb}.frame{fill:#fff;stroke:#cbd5e0;stroke-dasharray:5 4}\
.box{fill:#fff;stroke-width:1.2}.box.root{stroke:#e3a1a1;fill:#fffafa}.box.other{stroke:#9ccfb1;fill:#fafffc}.box.unknown{stroke:#e0c48a;fill:#fffdf7}\
.bar.root,.pill.root{fill:#c53030}.bar.other,.pill.other{fill:#2f855a}.bar.unknown,.pill.unknown{fill:#a86b12}\
.edge{fill:none;stroke:#94a3b8;stroke-width:1.5;marker-end:url(#tip)}.copy{stroke-dasharray:5 4}.to-root{stroke:#d98080}.tip{fill:#94a3b8}\
circle.grave,text.grave{fill:#c53030}circle.plain,text.plain{fill:#a86b12}text.grave{font-weight:700}\
@media(prefers-color-scheme:dark){\
text{fill:#a9b4c4}.title,.name{fill:#edf2f7}.group{fill:#cbd5e0}.heading{fill:#7c889b}.user{fill:#fff}\
.page{fill:#12161d}.band{fill:#1a2029}.frame{fill:#151a22;stroke:#3b4656}\
.box.root{fill:#2a1a1d;stroke:#7d3a3f}.box.other{fill:#16251d;stroke:#34654a}.box.unknown{fill:#292216;stroke:#6d572a}\
.edge{stroke:#5f6c80}.to-root{stroke:#a35353}.tip{fill:#5f6c80}\
circle.grave,text.grave{fill:#fc8181}circle.plain,text.plain{fill:#e2b25f}}";
