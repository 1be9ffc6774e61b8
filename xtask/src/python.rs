//! Sets up a Python environment under `target/`.

use crate::cargo::{root, run, succeeds};
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A virtual environment with the packages of a folder's `requirements.txt`.
pub(crate) struct Python {
    environment: PathBuf,
}

impl Python {
    /// Like [`prepare`](Self::prepare), but prints the error and returns `None`: the caller skips its checks.
    pub(crate) fn or_skip(folder: &str) -> Option<Self> {
        match Self::prepare(folder) {
            Ok(python) => Some(python),
            Err(reason) => {
                println!("skipped: {reason:#}");
                None
            }
        }
    }

    /// Creates the environment for `xtask/FOLDER`, or uses the one that an earlier run created from the same requirements.
    ///
    /// # Errors
    ///
    /// If Python 3 is missing, or a package cannot be installed.
    fn prepare(folder: &str) -> anyhow::Result<Self> {
        let python = Self {
            environment: root().join("target").join(folder).join("python"),
        };
        let requirements = root().join("xtask").join(folder).join("requirements.txt");
        let wanted = fs::read(&requirements)?;
        let installed = python.environment.join("requirements.txt");
        if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(python);
        }
        if !succeeds(Command::new("python3").arg("--version")) {
            bail!("this task needs Python 3 with venv: install it and run the task again");
        }
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&python.environment))?;
        run(python
            .command()
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(&requirements))
        .with_context(|| {
            format!(
                "cannot install {}: is the network up?",
                requirements.display()
            )
        })?;
        fs::write(installed, wanted)?;
        Ok(python)
    }

    fn command(&self) -> Command {
        self.program("python")
    }

    /// Returns the command that runs a program of the environment, at the root of the workspace.
    pub(crate) fn program(&self, name: &str) -> Command {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        let mut command = Command::new(self.environment.join(folder).join(name));
        command.current_dir(root());
        command
    }

    /// Returns the command that runs a script of `xtask/e2e`.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = self.command();
        command.arg(root().join("xtask/e2e").join(name));
        command
    }

    /// Returns the path of a file in an installed package, such as a program.
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
