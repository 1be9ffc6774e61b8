//! Runs the loom models: `tests/loom.rs` of a crate, or `src/models.rs` if they need private items.

use crate::cargo::{self, cargo, root};

pub(crate) fn run() -> anyhow::Result<()> {
    for (package, models) in packages()? {
        cargo::run(
            cargo()
                .args(["test", "--release", "--package", &package])
                // Dependencies of features need not build with `cfg(loom)`, and no model needs them.
                .arg("--no-default-features")
                .args(models)
                // A separate target directory: in the usual one, the flag would rebuild everything.
                .args(["--target-dir", "target/loom"])
                .env("RUSTFLAGS", "--cfg loom"),
        )?;
        println!("explored the loom models of {package}");
    }
    Ok(())
}

/// Returns the packages with models, and the arguments that select the models of each.
fn packages() -> anyhow::Result<Vec<(String, &'static [&'static str])>> {
    const PLACES: [(&str, &[&str]); 2] = [
        ("tests/loom.rs", &["--test", "loom"]),
        ("src/models.rs", &["--lib", "models::"]),
    ];
    let mut packages = Vec::new();
    for entry in root().join("crates").read_dir()? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        for (file, models) in PLACES {
            if path.join(file).exists() {
                packages.push((name.to_string_lossy().into_owned(), models));
            }
        }
    }
    packages.sort();
    Ok(packages)
}
