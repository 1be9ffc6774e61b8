//! Runs cargo and the tools that it installs.

use anyhow::{Context, bail};
use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Returns the root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Returns a command that runs the cargo of the current toolchain at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Returns the packages of the workspace, without what they depend on.
pub(crate) fn metadata() -> anyhow::Result<Metadata> {
    MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .context("`cargo metadata` failed")
}

/// Returns the packages of the workspace that are published.
pub(crate) fn published() -> anyhow::Result<Vec<Package>> {
    let mut packages = metadata()?.packages;
    packages.retain(is_published);
    Ok(packages)
}

pub(crate) fn is_published(package: &Package) -> bool {
    // `publish = false` is an empty list of registries.
    package.publish.as_ref().is_none_or(|to| !to.is_empty())
}

/// Returns a command that runs the cargo of the nightly toolchain, or `None` if there is none.
pub(crate) fn nightly_cargo() -> Option<Command> {
    let nightly = || cargo_of("nightly");
    succeeds(nightly().arg("--version")).then(nightly)
}

/// Returns a command that runs the cargo of an installed toolchain.
///
/// It is started through rustup's proxy, without the variables by which the outer cargo names its own toolchain.
pub(crate) fn cargo_of(toolchain: &str) -> Command {
    let mut command = Command::new("cargo");
    command
        .arg(format!("+{toolchain}"))
        .current_dir(root())
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN");
    command
}

/// Runs `command` and shows what it prints.
///
/// # Errors
///
/// If it cannot be started, or fails. The error names the command line.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    announce(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", line(command));
    }
    Ok(())
}

/// Prints the command line that is about to run.
pub(crate) fn announce(command: &Command) {
    eprintln!("\n$ {}", line(command));
}

/// Returns the command line for a reader: the program by its name, not by its path.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str());
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_string_lossy(), value?.to_string_lossy())))
        .map(|(name, value)| format!("{name}={value:?}"));
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    environment
        .chain([name.to_string_lossy().into_owned()])
        .chain(arguments.map(Into::into))
        .collect::<Vec<String>>()
        .join(" ")
}

/// Runs `command` in silence and returns `true` if it succeeds.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the trimmed standard output of `command`.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {}", line(command)))?;
    if !output.status.success() {
        bail!(
            "{} ended with {}: {}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Installs the crate `cargo-SUBCOMMAND` unless `cargo SUBCOMMAND` exists.
///
/// # Errors
///
/// If the installation fails.
pub(crate) fn ensure_subcommand(subcommand: &str) -> anyhow::Result<()> {
    // Some have no `--version`.
    if succeeds(cargo().args([subcommand, "--help"])) {
        return Ok(());
    }
    let package = format!("cargo-{subcommand}");
    run(cargo().args(["install", "--locked", &package])).with_context(|| {
        format!("cannot install {package}: install it by hand and run the task again")
    })
}
