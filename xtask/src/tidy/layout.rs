//! Checks that every crate is documented by its README, can be published, takes the lints of the workspace and forbids unsafe
//! code unless it is listed.

use crate::cargo::root;
use std::fs;

/// The crates that may contain unsafe code, each with the reason.
const UNSAFE: [(&str, &str); 2] = [
    (
        "zerospan-core",
        "pthread_atfork, which detects a fork without a system call per span; GlobalAlloc of the counting allocator (feature `dev`)",
    ),
    ("zerospan-otlp", "the wire module"),
];

/// Makes docs.rs build as `cargo xtask docs` does.
const DOCS_RS: &str =
    "[package.metadata.docs.rs]\nall-features = true\nrustdoc-args = [\"--cfg\", \"docsrs\"]\n";

pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let mut findings = Vec::new();
    for entry in root().join("crates").read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let read = |file: &str| fs::read_to_string(path.join(file)).unwrap_or_default();
        let (manifest, lib, readme) = (read("Cargo.toml"), read("src/lib.rs"), read("README.md"));

        let mut require = |holds: bool, remedy: &str| {
            if !holds {
                findings.push(format!("crates/{name}: {remedy}"));
            }
        };
        require(
            manifest.contains(&format!("name = \"{name}\"")),
            "name the package as its folder",
        );
        require(
            manifest.contains("[lints]\nworkspace = true"),
            "add `[lints] workspace = true` to Cargo.toml",
        );
        require(
            lib.contains("doc = include_str!(\"../README.md\")"),
            "document src/lib.rs with the crate's README",
        );
        require(
            readme.contains("## What it does not do") && readme.contains("## What it allocates"),
            "add the sections `What it does not do` and `What it allocates` to README.md",
        );
        for file in ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            require(
                path.join(file).is_symlink(),
                &format!("link {file} to the file of that name in the root"),
            );
        }
        require(
            manifest.contains(&format!("documentation = \"https://docs.rs/{name}\""))
                && manifest.contains("repository.workspace = true")
                && manifest.contains("keywords = [")
                && manifest.contains("categories = ["),
            "add documentation, repository, and keywords and categories that fit the crate, to Cargo.toml",
        );
        require(
            manifest.contains(DOCS_RS),
            "add `[package.metadata.docs.rs]` with all features and `--cfg docsrs` to Cargo.toml",
        );
        require(
            !manifest.contains("[features]")
                || lib.contains("#![cfg_attr(docsrs, feature(doc_cfg))]"),
            "turn the badges of features on in src/lib.rs, with `cfg_attr(docsrs, feature(doc_cfg))`",
        );
        let may_be_unsafe = UNSAFE.iter().any(|(listed, _)| *listed == name);
        require(
            may_be_unsafe || lib.contains("#![forbid(unsafe_code)]"),
            "forbid unsafe code in src/lib.rs, or list the crate in xtask/src/tidy/layout.rs with the reason",
        );
    }
    Ok(findings)
}
