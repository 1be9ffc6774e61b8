//! The loom models: every crate that has a `tests/loom.rs`, or a `src/models.rs` where they look at what is private.

use crate::cargo::{self, cargo, root};

pub(crate) fn run() -> anyhow::Result<()> {
    for (package, models) in packages()? {
        cargo::run(
            cargo()
                .args(["test", "--release", "--package", &package])
                // What a feature brings along need not build under the flag, and no model looks at it.
                .arg("--no-default-features")
                .args(models)
                // A target directory of its own: the flag would rebuild everything in the usual one.
                .args(["--target-dir", "target/loom"])
                .env("RUSTFLAGS", "--cfg loom"),
        )?;
        println!("explored the loom models of {package}");
    }
    Ok(())
}

/// The packages with models, and what selects the models of each.
fn packages() -> anyhow::Result<Vec<(String, &'static [&'static str])>> {
    const HOMES: [(&str, &[&str]); 2] = [
        ("tests/loom.rs", &["--test", "loom"]),
        ("src/models.rs", &["--lib", "models::"]),
    ];
    let mut packages = Vec::new();
    for entry in root().join("crates").read_dir()? {
        let path = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        for (file, models) in HOMES {
            if path.join(file).exists() {
                packages.push((name.to_string_lossy().into_owned(), models));
            }
        }
    }
    packages.sort();
    Ok(packages)
}
