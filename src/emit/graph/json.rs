//! The build graph for programs.

use super::Tone;
use crate::model::graph::{BuildGraph, Builder, Crossing, InputSource, Place, RunImage, Says, Who};
use serde_json::{Value as Json, json};
use std::io::{self, Write};

/// Prints `graph` as JSON.
///
/// # Errors
/// If `out` cannot be written.
pub fn graph_json(graph: &BuildGraph, out: &mut dyn Write) -> io::Result<()> {
    let recipes: Vec<Json> = graph
        .recipes
        .iter()
        .map(|recipe| {
            let stages: Vec<Json> = recipe
                .stages
                .iter()
                .enumerate()
                .map(|(number, stage)| {
                    json!({
                        "number": number,
                        "name": stage.name,
                        "at": place(&stage.place),
                        "user": who(&stage.user),
                        "inputs": stage.inputs.iter().map(|input| json!({
                            "as": if input.is_base { "base" } else { "copy" },
                            "from": source(&input.source),
                        })).collect::<Vec<_>>(),
                        "crossings": crossings(&stage.crossings),
                    })
                })
                .collect();
            json!({ "path": recipe.name, "read": recipe.is_read, "stages": stages })
        })
        .collect();
    let images: Vec<Json> = graph
        .images
        .iter()
        .map(|image| {
            json!({
                "names": image.names,
                "dockerfile": graph.recipes[image.recipe].name,
                "stage": image.stage,
                "user": who(&image.user),
                "builders": image.builders.iter().map(builder).collect::<Vec<_>>(),
            })
        })
        .collect();
    let pulled: Vec<Json> = graph
        .pulled
        .iter()
        .map(|image| {
            json!({
                "name": image.name,
                "registry": image.registry,
                "pinned": image.is_pinned,
                "user": who(&image.user),
            })
        })
        .collect();
    let runs: Vec<Json> = graph
        .runs
        .iter()
        .map(|run| {
            json!({
                "system": run.caller.system.name(),
                "name": run.caller.name,
                "at": place(&run.caller.place),
                "image": match &run.image {
                    RunImage::Built(image) => json!({"built": image}),
                    RunImage::Pulled(image) => json!({"pulled": image}),
                    RunImage::Unknown(written) => json!({"unknown": written}),
                },
                "user": who(&run.user),
                "refuses_root": run.refuses_root,
                "crossings": crossings(&run.crossings),
            })
        })
        .collect();
    let hidden: Vec<Json> = graph.hidden_builds.iter().map(builder).collect();
    let all = json!({
        "dockerfiles": recipes, "images": images, "pulled": pulled, "runs": runs, "hidden_builds": hidden,
    });
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
}

fn place(place: &Place) -> Json {
    json!({ "path": &*place.path, "line": place.line })
}

fn who(who: &Who) -> Json {
    let by = match &who.says {
        Says::Place(at) => place(at),
        Says::Base => json!("base image"),
        Says::Nobody => Json::Null,
    };
    let root = match Tone::of(who) {
        Tone::Root => json!(true),
        Tone::Other => json!(false),
        Tone::Unknown => Json::Null,
    };
    json!({ "written": who.written, "root": root, "by": by })
}

fn source(source: &InputSource) -> Json {
    match source {
        InputSource::Stage(index) => json!({"stage": index}),
        InputSource::Image(name) => json!({"image": name}),
        InputSource::Scratch => json!("scratch"),
        InputSource::Unknown(written) => json!({"unknown": written}),
    }
}

fn builder(builder: &Builder) -> Json {
    json!({
        "system": builder.system.name(),
        "name": builder.name,
        "at": place(&builder.place),
        "target": builder.target,
        "arguments": builder.arguments.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "secrets": builder.secrets,
    })
}

fn crossings(crossings: &[Crossing]) -> Vec<Json> {
    let one = |crossing: &Crossing| {
        json!({
            "kind": crossing.kind.name(),
            "what": crossing.what,
            "at": place(&crossing.place),
        })
    };
    crossings.iter().map(one).collect()
}
