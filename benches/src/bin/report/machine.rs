use std::process::Command;
use std::time::SystemTime;
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Where and when the report was made.
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) compiler: String,
    pub(crate) commit: String,
    pub(crate) date: String,
    /// The load averages over 1, 5 and 15 minutes.
    pub(crate) load: [f64; 3],
}

impl Machine {
    pub(crate) fn this() -> Self {
        let system = System::new_with_specifics(
            RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing().with_frequency()),
        );
        let load = System::load_average();
        Self {
            processor: system
                .cpus()
                .first()
                .map_or_else(unknown, |cpu| cpu.brand().trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            system: System::long_os_version().unwrap_or_else(unknown),
            compiler: answer("rustc", &["--version"]),
            commit: answer("git", &["describe", "--always", "--dirty", "--exclude=*"]),
            date: httpdate::fmt_http_date(SystemTime::now()),
            load: [load.one, load.five, load.fifteen],
        }
    }
}

fn answer(program: &str, arguments: &[&str]) -> String {
    Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(unknown, |text| text.trim().to_owned())
}

fn unknown() -> String {
    "unknown".to_owned()
}
