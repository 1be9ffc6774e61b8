//! Running cargo, and the tools that come through it.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// A cargo of the toolchain in use, standing at the root of the workspace.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// A cargo of the nightly toolchain, or `None` where there is no such toolchain.
///
/// Goes through rustup's proxy: the variables by which the outer cargo names its own toolchain are taken away.
pub(crate) fn nightly_cargo() -> Option<Command> {
    let nightly = || {
        let mut command = Command::new("cargo");
        command
            .arg("+nightly")
            .current_dir(root())
            .env_remove("CARGO")
            .env_remove("RUSTUP_TOOLCHAIN");
        command
    };
    answers(nightly().arg("--version")).then(nightly)
}

/// Runs `command` and shows what it prints.
///
/// # Errors
///
/// If it cannot be started, or ends with anything but success: the command line is named.
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

/// The command line, for a reader: the program by its name, not by its path.
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

/// Whether `command` runs and succeeds; what it prints is not shown.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Makes sure that `cargo SUBCOMMAND` exists, installing the crate `cargo-SUBCOMMAND` where it does not.
///
/// # Errors
///
/// If the installation fails.
pub(crate) fn ensure_subcommand(subcommand: &str) -> anyhow::Result<()> {
    if answers(cargo().args([subcommand, "--version"])) {
        return Ok(());
    }
    let package = format!("cargo-{subcommand}");
    run(cargo().args(["install", "--locked", &package])).with_context(|| {
        format!("{package} is missing and cannot be installed: install it by hand and run the task again")
    })
}
