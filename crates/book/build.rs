//! Makes a test of every page of the book that holds a program.

#[path = "src/markdown.rs"]
#[allow(dead_code, unreachable_pub)]
mod markdown;

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Where the book's Kubo daemon is: in a test it is another one.
const DAEMON: &str = "\"http://127.0.0.1:5001\"";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed={}", root.join("docs").display());
    let mut pages = vec![root.join("README.md")];
    collect(&root.join("docs"), &mut pages)?;
    pages.sort();

    let mut tests = String::new();
    for page in &pages {
        println!("cargo::rerun-if-changed={}", page.display());
        let text = fs::read_to_string(page)?;
        let name = name(page.strip_prefix(&root)?);
        let Some(program) = program(&text) else { continue };
        let file = out.join(format!("{name}.rs"));
        fs::write(&file, program.replace(DAEMON, "std::env::var(\"DEBROS_BOOK_DAEMON\")?"))?;
        let output: Vec<String> = markdown::blocks(&text)
            .into_iter()
            .filter(|block| block.info == "output")
            .map(|block| block.lines.join("\n"))
            .collect();
        // a page that talks to a daemon is a test of its own part
        let (condition, runner) =
            if program.contains(DAEMON) { ("#[cfg(feature = \"kubo\")]\n", "page_with_daemon") } else { ("", "page") };
        writeln!(tests, "{condition}#[path = {:?}]\nmod {name};", file.display().to_string())?;
        writeln!(
            tests,
            "{condition}#[test]\nfn test_{name}() {{\n    {runner}(\"test_{name}\", {name}::run, &{output:?});\n}}"
        )?;
    }
    fs::write(out.join("chapters.rs"), tests)?;
    Ok(())
}

fn collect(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// `docs/guide/models.md` becomes `docs_guide_models`.
fn name(page: &Path) -> String {
    let text = page.with_extension("").to_string_lossy().to_lowercase();
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// The Rust blocks of a page as one program with a function `run`, or `None` if there are none. A line of the page is the
/// same line of the program.
fn program(text: &str) -> Option<String> {
    let blocks = markdown::blocks(text);
    let mut lines: Vec<&str> = vec![""; text.lines().count()];
    let mut any = false;
    for block in blocks.iter().filter(|block| block.info == "rust") {
        any = true;
        for (offset, line) in block.lines.iter().enumerate() {
            lines[block.line + 1 + offset] = line;
        }
    }
    // the first line of a page is its title, which leaves room for the head
    let main = lines.iter().any(|line| line.trim_start().trim_start_matches("async ").starts_with("fn main("));
    let (head, tail) = if main {
        ("pub fn run() -> Result<(), Box<dyn std::error::Error>> { main()?; Ok(()) }", "")
    } else {
        ("#[tokio::main] pub async fn run() -> Result<(), Box<dyn std::error::Error>> {", "; Ok(()) }")
    };
    let allowed = "#![allow(missing_docs, unused, unreachable_pub, dead_code, clippy::all, clippy::unwrap_used)]";
    any.then(|| format!("{allowed} {head}{}\n{tail}\n", lines.join("\n")))
}
