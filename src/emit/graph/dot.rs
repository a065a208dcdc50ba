//! The build graph for Graphviz.

use super::{
    Tone,
    drawing::{Drawing, Layer},
};
use crate::model::graph::BuildGraph;
use std::io::{self, Write};

/// Prints `graph` in the language of Graphviz.
///
/// # Errors
/// If `out` cannot be written.
pub fn graph_dot(graph: &BuildGraph, out: &mut dyn Write) -> io::Result<()> {
    let drawing = Drawing::of(graph);
    writeln!(out, "digraph ironhull {{")?;
    writeln!(out, "  rankdir=LR")?;
    writeln!(out, "  node [fontname=\"monospace\" fontsize=10 style=\"filled,rounded\" shape=box]")?;
    writeln!(out, "  edge [color=\"#718096\"]")?;
    let (grouped, alone) = drawing.grouped();
    for (at, (name, nodes)) in drawing.groups.iter().zip(&grouped).enumerate() {
        if nodes.is_empty() {
            continue;
        }
        writeln!(out, "  subgraph cluster_{at} {{")?;
        writeln!(out, "    label=\"{}\" fontname=\"monospace\" fontsize=10 color=\"#a0aec0\"", escaped(name))?;
        for &node in nodes {
            write!(out, "  ")?;
            print_node(&drawing, node, out)?;
        }
        writeln!(out, "  }}")?;
    }
    for node in alone {
        print_node(&drawing, node, out)?;
    }
    for edge in &drawing.edges {
        let style = if edge.is_copy { " [style=dashed]" } else { "" };
        writeln!(out, "  {} -> {}{style}", drawing.id(edge.from), drawing.id(edge.to))?;
    }
    writeln!(out, "}}")
}

fn print_node(drawing: &Drawing, at: usize, out: &mut dyn Write) -> io::Result<()> {
    let node = &drawing.nodes[at];
    // `\l` ends a line and sets it to the left.
    let label: String = node.lines().flat_map(|line| [escaped(&line), "\\l".to_owned()]).collect();
    let (fill, line) = match node.tone {
        Tone::Root => ("#fde8e8", "#c53030"),
        Tone::Other => ("#e6f6ec", "#2f855a"),
        Tone::Unknown => ("#fdf6e3", "#b7791f"),
    };
    let shape = match node.layer {
        Layer::Pulled => " shape=cylinder style=filled",
        Layer::Image => " shape=component style=filled",
        Layer::Stage | Layer::Run => "",
    };
    writeln!(out, "  {} [label=\"{label}\" fillcolor=\"{fill}\" color=\"{line}\"{shape}]", drawing.id(at))
}

/// Text within quotes of Graphviz.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            // An ampersand would begin an entity.
            '&' => escaped.push_str("&amp;"),
            plain => escaped.push(plain),
        }
    }
    escaped
}
