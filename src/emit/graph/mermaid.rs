//! The build graph as a flowchart of Mermaid, which Markdown shows on many sites.

use super::{
    Tone,
    drawing::{Drawing, Layer},
};
use crate::model::graph::BuildGraph;
use std::{
    fmt::Write as _,
    io::{self, Write},
};

/// Prints `graph` as a flowchart.
///
/// # Errors
/// If `out` cannot be written.
pub fn graph_mermaid(graph: &BuildGraph, out: &mut dyn Write) -> io::Result<()> {
    let drawing = Drawing::of(graph);
    writeln!(out, "flowchart LR")?;
    let (grouped, alone) = drawing.grouped();
    for (at, (name, nodes)) in drawing.groups.iter().zip(&grouped).enumerate() {
        if nodes.is_empty() {
            continue;
        }
        writeln!(out, "  subgraph g{at}[\"{}\"]", escaped(name))?;
        for &node in nodes {
            write!(out, "  ")?;
            print_node(&drawing, node, out)?;
        }
        writeln!(out, "  end")?;
    }
    for node in alone {
        print_node(&drawing, node, out)?;
    }
    for edge in &drawing.edges {
        let arrow = if edge.is_copy { "-.->" } else { "-->" };
        writeln!(out, "  {} {arrow} {}", drawing.id(edge.from), drawing.id(edge.to))?;
    }
    writeln!(out, "  classDef root fill:#fde8e8,stroke:#c53030,color:#1a202c")?;
    writeln!(out, "  classDef other fill:#e6f6ec,stroke:#2f855a,color:#1a202c")?;
    writeln!(out, "  classDef unknown fill:#fdf6e3,stroke:#b7791f,color:#1a202c")?;
    for tone in [Tone::Root, Tone::Other, Tone::Unknown] {
        let ids: Vec<String> =
            (0..drawing.nodes.len()).filter(|&at| drawing.nodes[at].tone == tone).map(|at| drawing.id(at)).collect();
        if !ids.is_empty() {
            writeln!(out, "  class {} {}", ids.join(","), tone.name())?;
        }
    }
    Ok(())
}

fn print_node(drawing: &Drawing, at: usize, out: &mut dyn Write) -> io::Result<()> {
    let node = &drawing.nodes[at];
    let label = node.lines().map(|line| escaped(&line)).collect::<Vec<_>>().join("<br/>");
    let (open, close) = match node.layer {
        Layer::Pulled => ("([", "])"),
        Layer::Stage => ("[", "]"),
        Layer::Image => ("[[", "]]"),
        Layer::Run => ("(", ")"),
    };
    writeln!(out, "  {}{open}\"{label}\"{close}", drawing.id(at))
}

/// Text within quotes of Mermaid, which knows entities that begin with `#`; nothing in it is markup.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | '`' | ';' | '\\' | '*' | '_' | '%' | '{' | '}' | '[' | ']' | '|' | '$' => {
                let _ = write!(escaped, "#{};", u32::from(character));
            }
            plain => escaped.push(plain),
        }
    }
    escaped
}
