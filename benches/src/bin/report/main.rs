//! Makes `target/bench/report.html`, the pictures and the measured part of `docs/benchmarks.md` of what the programs
//! `budget`, `growth` and `peers` wrote.

mod chart;
mod figures;
mod machine;
mod page;
mod pictures;
mod sections;
mod table;

use anyhow::{Context, ensure};
use clap::Parser;
use figures::Figures;
use machine::Machine;
use pictures::Picture;
use std::fs;
use std::path::{Path, PathBuf};

/// Make pages and pictures of what was measured.
#[derive(Debug, Parser)]
struct Arguments {
    /// What the program `budget` wrote.
    #[arg(long, value_name = "FILE", default_value = "target/budget.json")]
    budget: PathBuf,
    /// What the program `growth` wrote.
    #[arg(long, value_name = "FILE", default_value = "target/bench/growth.json")]
    growth: PathBuf,
    /// What the program `peers` wrote.
    #[arg(long, value_name = "FILE", default_value = "target/bench/peers.json")]
    peers: PathBuf,
    /// The page whose measured part is written anew.
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks.md")]
    page: PathBuf,
    /// Where the pictures go: beside the page or below it.
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "docs/pictures/benchmarks"
    )]
    pictures: PathBuf,
    /// Where the report goes, which holds its pictures itself.
    #[arg(long, value_name = "FILE", default_value = "target/bench/report.html")]
    html: PathBuf,
}

#[allow(clippy::print_stdout)]
fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let figures = Figures::read(&arguments.budget, &arguments.growth, &arguments.peers)?;
    let pictures = pictures::draw(&figures)?;
    let machine = Machine::this();

    let folder = link(&arguments.page, &arguments.pictures)?;
    let linked = sections::write(&figures, &machine, |name| {
        find(&pictures, name).linked(&folder)
    });
    let old = fs::read_to_string(&arguments.page)
        .with_context(|| format!("cannot read {}", arguments.page.display()))?;
    let new = page::renew(&old, &linked)
        .with_context(|| format!("cannot renew {}", arguments.page.display()))?;
    for picture in &pictures {
        for (name, svg) in picture.files() {
            write(&arguments.pictures.join(name), svg)?;
        }
    }
    write(&arguments.page, &new)?;

    let inline = sections::write(&figures, &machine, |name| find(&pictures, name).inline());
    write(&arguments.html, &page::html(&page::renew(&old, &inline)?))?;
    println!(
        "report in {} and {}, pictures in {}",
        arguments.html.display(),
        arguments.page.display(),
        arguments.pictures.display()
    );
    Ok(())
}

fn find<'p>(pictures: &'p [Picture], name: &str) -> &'p Picture {
    pictures
        .iter()
        .find(|picture| picture.name == name)
        .unwrap_or_else(|| panic!("no picture is called {name}"))
}

/// The folder of the pictures, as the page links to it.
fn link(page: &Path, pictures: &Path) -> anyhow::Result<String> {
    let folder = page.parent().unwrap_or(Path::new(""));
    let relative = pictures.strip_prefix(folder);
    ensure!(
        relative.is_ok(),
        "{} is not below {}, so that the page cannot link to the pictures: choose another folder with --pictures",
        pictures.display(),
        folder.display()
    );
    Ok(relative.unwrap_or(pictures).to_string_lossy().into_owned())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
