//! A Python environment of the project's own, under `target/`.

use crate::cargo::{answers, root, run};
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A virtual environment in which the packages of `xtask/e2e/requirements.txt` are installed.
pub(crate) struct Python {
    environment: PathBuf,
}

impl Python {
    /// As [`prepare`](Self::prepare); where that cannot be done, says so, and the caller has nothing to do.
    pub(crate) fn or_skip() -> Option<Self> {
        match Self::prepare() {
            Ok(python) => Some(python),
            Err(reason) => {
                println!("skipped: {reason:#}");
                None
            }
        }
    }

    /// Makes the environment, or takes the one that an earlier run made from the same requirements.
    ///
    /// # Errors
    ///
    /// If there is no Python 3, or a package cannot be installed: the reason to skip.
    fn prepare() -> anyhow::Result<Self> {
        let python = Self {
            environment: root().join("target/e2e/python"),
        };
        let requirements = root().join("xtask/e2e/requirements.txt");
        let wanted = fs::read(&requirements)?;
        let installed = python.environment.join("requirements.txt");
        if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(python);
        }
        if !answers(Command::new("python3").arg("--version")) {
            bail!(
                "the end-to-end checks need Python 3 with venv: install it and run the task again"
            );
        }
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&python.environment))?;
        run(python
            .command()
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&requirements))
        .context("the receivers cannot be installed: is the network up?")?;
        fs::write(installed, wanted)?;
        Ok(python)
    }

    fn command(&self) -> Command {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        Command::new(self.environment.join(folder).join("python"))
    }

    /// A script of `xtask/e2e`.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = self.command();
        command.arg(root().join("xtask/e2e").join(name));
        command
    }

    /// A file inside an installed package, such as a program that the package carries.
    pub(crate) fn package_file(&self, package: &str, file: &str) -> anyhow::Result<PathBuf> {
        let program =
            format!("import importlib.resources as r; print(r.files('{package}') / '{file}')");
        let output = self.command().args(["-c", &program]).output()?;
        let path = String::from_utf8(output.stdout)?;
        let path = Path::new(path.trim()).to_path_buf();
        if !path.is_file() {
            bail!("the package {package} has no {file} for this machine");
        }
        Ok(path)
    }
}
