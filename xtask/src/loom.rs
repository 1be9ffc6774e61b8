//! The loom models: every crate that has a `tests/loom.rs`.

use crate::cargo::{self, cargo, root};

pub(crate) fn run() -> anyhow::Result<()> {
    for package in packages()? {
        cargo::run(
            cargo()
                .args(["test", "--release", "--package", &package, "--test", "loom"])
                // A target directory of its own: the flag would rebuild everything in the usual one.
                .args(["--target-dir", "target/loom"])
                .env("RUSTFLAGS", "--cfg loom"),
        )?;
        println!("explored the loom models of {package}");
    }
    Ok(())
}

fn packages() -> anyhow::Result<Vec<String>> {
    let mut packages = Vec::new();
    for entry in root().join("crates").read_dir()? {
        let path = entry?.path();
        if path.join("tests/loom.rs").exists() {
            packages.extend(
                path.file_name()
                    .map(|name| name.to_string_lossy().into_owned()),
            );
        }
    }
    packages.sort();
    Ok(packages)
}
