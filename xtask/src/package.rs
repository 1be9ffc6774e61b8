//! Builds every published crate from the archive that `cargo publish` would upload.
//!
//! `cargo package` can build the archives itself, but caches the sources and the artifacts of an archive by its version, so
//! that a change under the same version goes unnoticed. Here the archives are unpacked into a workspace of their own, where
//! each crate depends on its unpacked siblings.

use crate::cargo::{cargo, line, published, root, run, succeeds};
use anyhow::ensure;
use cargo_metadata::Package;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The files that every archive contains besides the sources.
const FILES: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// # Errors
///
/// If an archive cannot be built, lacks one of [`FILES`], or does not compile.
pub(crate) fn package() -> anyhow::Result<()> {
    let folder = root().join("target/package/unpacked");
    let packages = unpack_all(&folder)?;
    // The same versions as everywhere else, so that what is already built serves here too.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
    run(cargo()
        .current_dir(&folder)
        .args(["check", "--quiet", "--workspace", "--all-features"])
        .arg("--target-dir")
        .arg(root().join("target")))?;
    println!("{} crates build from their archives", packages.len());
    if packages
        .iter()
        .any(|package| package.repository.as_deref() == Some(""))
    {
        println!("before the first release, fill in `repository` in Cargo.toml: see RELEASING.md");
    }
    Ok(())
}

/// Packs every published crate and unpacks the archives into a workspace at `folder`, which is emptied first.
///
/// # Errors
///
/// If an archive cannot be built, or lacks one of [`FILES`].
pub(crate) fn unpack_all(folder: &Path) -> anyhow::Result<Vec<Package>> {
    let packages = published()?;
    let mut pack = cargo();
    // Without verification, for the reason above.
    pack.args(["package", "--quiet", "--allow-dirty", "--no-verify"])
        .args(["--target-dir", "target"]);
    for package in &packages {
        pack.args(["--package", &package.name]);
    }
    run(&mut pack)?;

    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for package in &packages {
        unpack(package, folder)?;
    }
    fs::write(folder.join("Cargo.toml"), manifest(&packages))?;
    Ok(packages)
}

fn unpack(package: &Package, folder: &Path) -> anyhow::Result<()> {
    let name = folder_name(package);
    let archive = root().join(format!("target/package/{name}.crate"));
    let mut tar = Command::new("tar");
    tar.arg("xzf").arg(&archive).arg("-C").arg(folder);
    ensure!(succeeds(&mut tar), "`{}` failed", line(&tar));
    for file in FILES {
        let path = folder.join(&name).join(file);
        ensure!(
            path.is_file(),
            "{}: {file} is not in its archive: put the file, or a link to it, next to its Cargo.toml",
            package.name
        );
    }
    Ok(())
}

fn folder_name(package: &Package) -> String {
    format!("{}-{}", package.name, package.version)
}

/// Returns the manifest of a workspace of the unpacked crates.
fn manifest(packages: &[Package]) -> String {
    let mut members = String::from("[workspace]\nresolver = \"3\"\nmembers = [\n");
    let mut patches = String::from("]\n\n[patch.crates-io]\n");
    for package in packages {
        let folder = folder_name(package);
        _ = writeln!(members, "    \"{folder}\",");
        _ = writeln!(patches, "{} = {{ path = \"{folder}\" }}", package.name);
    }
    // The profile of the workspace, for the same reason as its lock file.
    members + &patches + "\n[profile.dev]\ndebug = false\nincremental = false\n"
}
