use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tiny_http::{Header, Method, Response, Server};

const STATE: &str = "votes.tsv";
const PAGE: &str = include_str!("page.html");

fn load(file: &Path) -> BTreeMap<String, u32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(name, votes)| Some((name.to_owned(), votes.parse().ok()?)))
        .collect()
}

fn save(file: &Path, votes: &BTreeMap<String, u32>) -> std::io::Result<()> {
    let text: String = votes.iter().map(|(name, votes)| format!("{name}\t{votes}\n")).collect();
    fs::write(file, text)
}

fn main() {
    let directory = std::env::var("POLL_DIR").unwrap_or_else(|_| "/var/lib/poll".to_owned());
    fs::create_dir_all(&directory).expect("the directory of the votes can be made");
    let file = Path::new(&directory).join(STATE);
    let mut votes = load(&file);

    let server = Server::http("0.0.0.0:8000").expect("port 8000 is free");
    println!("listening on 8000");
    for request in server.incoming_requests() {
        let name = request.url().trim_start_matches('/').to_owned();
        let response = match (request.method(), name.as_str()) {
            (Method::Get, "") => {
                let html = Header::from_bytes("Content-Type", "text/html").expect("it is a header");
                Response::from_string(PAGE).with_header(html)
            }
            (Method::Get, "votes") => Response::from_string(format!("{votes:?}\n")),
            (Method::Post, _) => {
                *votes.entry(name).or_default() += 1;
                match save(&file, &votes) {
                    Ok(()) => Response::from_string("counted\n").with_status_code(201),
                    Err(error) => Response::from_string(format!("{error}\n")).with_status_code(500),
                }
            }
            _ => Response::from_string("not here\n").with_status_code(404),
        };
        if let Err(error) = request.respond(response) {
            eprintln!("{error}");
        }
    }
}
