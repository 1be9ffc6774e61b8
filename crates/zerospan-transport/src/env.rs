//! Environment variables: how every crate of the family reads them, and what it logs about those that it cannot use.
//!
//! An empty variable counts as unset, as the specification asks. A value that cannot be used is ignored, and reported once
//! in the life of the process.

use crate::error::ConfigError;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use zerospan_core::fork::PerProcess;
use zerospan_core::log;

/// Calls `read` with the variables of this process, and logs the values that it ignores.
pub fn from_process<T>(read: impl FnOnce(&mut Environment<'_>) -> T) -> T {
    let mut environment = Environment::new(&|name| std::env::var_os(name));
    let config = read(&mut environment);
    report(environment);
    config
}

/// Calls `read` with the variables that `lookup` finds, and returns the values that it ignores.
pub fn from_vars<T>(
    lookup: impl Fn(&str) -> Option<String>,
    read: impl FnOnce(&mut Environment<'_>) -> T,
) -> (T, Vec<ConfigError>) {
    let lookup = |name: &str| lookup(name).map(OsString::from);
    let mut environment = Environment::new(&lookup);
    let config = read(&mut environment);
    (config, environment.ignored)
}

/// Environment variables, and those whose values cannot be used.
pub struct Environment<'a> {
    lookup: &'a dyn Fn(&str) -> Option<OsString>,
    ignored: Vec<ConfigError>,
    /// The names of those among `ignored` that no default may stand in for.
    refused: Vec<String>,
}

impl<'a> Environment<'a> {
    /// Creates an environment of the variables that `lookup` finds.
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            lookup,
            ignored: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// Returns the value of a variable, unless it is empty or not Unicode.
    pub fn get(&mut self, name: &str) -> Option<String> {
        match self.text(name)? {
            Ok(value) => Some(value),
            Err(error) => {
                self.ignore(error);
                None
            }
        }
    }

    /// Returns the value of a variable that is not empty, or the error for one that is not Unicode.
    fn text(&self, name: &str) -> Option<Result<String, ConfigError>> {
        match (self.lookup)(name)?.into_string() {
            Ok(value) => Some(value).filter(|value| !value.trim().is_empty()).map(Ok),
            Err(value) => {
                // Values of headers may be secrets.
                let shown = match name.ends_with("_HEADERS") {
                    true => "...".into(),
                    false => value.to_string_lossy(),
                };
                Some(Err(ConfigError::new(name, shown, "a text in Unicode")))
            }
        }
    }

    /// Returns what `parse` makes of the first of the variables that is set, without white space around it.
    ///
    /// # Errors
    ///
    /// That of its value. No other variable and no default stands in for it.
    pub fn first_set<T>(
        &mut self,
        names: &[String],
        parse: impl Fn(&str, &str) -> Result<T, ConfigError>,
    ) -> Result<Option<T>, ConfigError> {
        for name in names {
            if let Some(value) = self.text(name) {
                return match value.and_then(|value| parse(name, value.trim())) {
                    Ok(value) => Ok(Some(value)),
                    Err(error) => {
                        self.refuse(error.clone());
                        Err(error)
                    }
                };
            }
        }
        Ok(None)
    }

    /// Returns what `parse` makes of a variable's value, without white space around it.
    pub fn parse<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str, &str) -> Result<T, ConfigError>,
    ) -> Option<T> {
        let value = self.get(name)?;
        match parse(name, value.trim()) {
            Ok(value) => Some(value),
            Err(error) => {
                self.ignore(error);
                None
            }
        }
    }

    /// Returns the first of the variables that has a value which `parse` accepts.
    pub fn first<T>(
        &mut self,
        names: &[String],
        parse: impl Fn(&str, &str) -> Result<T, ConfigError>,
    ) -> Option<T> {
        names.iter().find_map(|name| self.parse(name, &parse))
    }

    /// Returns a variable's whole number of at least `min`.
    pub fn number(&mut self, name: &str, min: u64) -> Option<u64> {
        self.parse(name, |name, value| {
            let number = value.parse().ok().filter(|&number| number >= min);
            number.ok_or_else(|| {
                ConfigError::new(name, value, format!("a whole number of at least {min}"))
            })
        })
    }

    /// Returns the function that finds a variable.
    pub(crate) fn lookup(&self) -> &'a dyn Fn(&str) -> Option<OsString> {
        self.lookup
    }

    /// Notes a value that cannot be used, and that nothing stands in for.
    pub(crate) fn refuse(&mut self, error: ConfigError) {
        self.refused.push(error.setting().to_owned());
        self.ignore(error);
    }

    /// Notes a value that cannot be used.
    pub fn ignore(&mut self, error: ConfigError) {
        self.ignored.push(error);
    }

    /// Returns the values that cannot be used.
    pub fn ignored(&self) -> &[ConfigError] {
        &self.ignored
    }
}

impl std::fmt::Debug for Environment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("ignored", &self.ignored)
            .finish_non_exhaustive()
    }
}

/// Parses a time in milliseconds, above zero.
///
/// # Errors
///
/// [`ConfigError`] for any other value.
pub fn millis(name: &str, value: &str) -> Result<Duration, ConfigError> {
    match value.parse() {
        Ok(millis) if millis > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(ConfigError::new(
            name,
            value,
            "a whole number of milliseconds above 0",
        )),
    }
}

/// Parses `true` or `false`, in any case.
///
/// # Errors
///
/// [`ConfigError`] for any other value.
pub fn boolean(name: &str, value: &str) -> Result<bool, ConfigError> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConfigError::new(name, value, "true or false")),
    }
}

/// Calls `read`, and returns what [`from_process`] would have logged on this thread meanwhile.
///
/// For those who read variables before there is a subscriber to log to.
pub fn deferred<T>(read: impl FnOnce() -> T) -> (T, DeferredReports) {
    /// Ends the deferral, also if `read` panics.
    struct Outer(Option<Vec<Unusable>>);

    impl Drop for Outer {
        fn drop(&mut self) {
            DEFERRED.set(self.0.take());
        }
    }

    let _outer = Outer(DEFERRED.replace(Some(Vec::new())));
    let outcome = read();
    let errors = DEFERRED.take().unwrap_or_default();
    (outcome, DeferredReports(errors))
}

/// Variables that cannot be used, and were not logged yet.
#[derive(Debug, Default)]
#[must_use = "nobody learns of the variables unless they are logged"]
pub struct DeferredReports(Vec<Unusable>);

impl DeferredReports {
    /// Adds a variable that cannot be used and is ignored.
    pub fn push(&mut self, error: ConfigError) {
        self.0.push(Unusable {
            error,
            is_refused: false,
        });
    }

    /// Adds the variables of other reports.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Logs each variable, unless that was done before in the life of the process.
    pub fn log(self) {
        for unusable in self.0 {
            unusable.log_once();
        }
        log::settle();
    }
}

thread_local! {
    static DEFERRED: RefCell<Option<Vec<Unusable>>> = const { RefCell::new(None) };
}

/// A variable that cannot be used.
#[derive(Debug)]
struct Unusable {
    error: ConfigError,
    /// No default stands in for it.
    is_refused: bool,
}

impl Unusable {
    fn log_once(self) {
        static REPORTED: PerProcess<Mutex<BTreeSet<String>>> =
            PerProcess::new_static(Mutex::new(BTreeSet::new()));
        let reported = REPORTED.current();
        let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = reported.insert(self.error.setting().to_owned());
        // A subscriber may read settings itself.
        drop(reported);
        if is_new {
            log::suppressed(move || log_unusable(&self.error, self.is_refused));
        }
    }
}

/// Logs each variable that cannot be used, once in the life of the process, or leaves that to the caller of [`deferred`].
fn report(environment: Environment<'_>) {
    for error in environment.ignored {
        let is_refused = environment
            .refused
            .iter()
            .any(|name| name == error.setting());
        let mut unusable = Some(Unusable { error, is_refused });
        // Where the thread is ending, nothing is deferred.
        let _ = DEFERRED.try_with(|deferred| {
            if let Some(list) = &mut *deferred.borrow_mut() {
                list.extend(unusable.take());
            }
        });
        if let Some(unusable) = unusable {
            unusable.log_once();
        }
    }
    log::settle();
}

fn log_unusable(error: &ConfigError, is_refused: bool) {
    if is_refused {
        tracing::error!(
            name: "SettingUnusable",
            variable = error.setting(),
            value = error.value(),
            accepted = error.accepted(),
            "an environment variable cannot be used, and nothing is sent: no default stands in for it"
        );
    } else {
        tracing::warn!(
            name: "SettingIgnored",
            variable = error.setting(),
            value = error.value(),
            accepted = error.accepted(),
            "an environment variable cannot be used and is ignored"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigError, DeferredReports};
    use zerospan_core::dev::Warnings;

    #[test]
    fn deferred_reports_are_logged_once_each_when_their_owner_asks() {
        let report = |setting: &str| {
            let mut reports = DeferredReports::default();
            reports.push(ConfigError::new(setting, "bad", "good"));
            reports
        };
        let said = Warnings::of(|| {
            let mut reports = report("A_DEFERRED_VARIABLE");
            reports.append(report("ANOTHER_DEFERRED_VARIABLE"));
            reports.append(report("A_DEFERRED_VARIABLE"));
            reports.log();
            report("A_DEFERRED_VARIABLE").log();
        });
        assert_eq!(said.len(), 2, "{said:?}");
        for (line, variable) in said.iter().zip(["A_DEFERRED", "ANOTHER_DEFERRED"]) {
            assert!(line.starts_with("SettingIgnored"), "{line}");
            assert!(line.contains(&format!("variable=\"{variable}")), "{line}");
        }
    }
}
