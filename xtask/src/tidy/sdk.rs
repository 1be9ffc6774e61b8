//! Only one module of each crate names the official SDK, so that its next version changes that module and nothing else.

use super::file::File;
use std::path::Path;

const SDK: &str = "opentelemetry_sdk";

/// The module of each crate that names the SDK, below `src`. A crate that is not listed has none.
const MODULES: [(&str, &str); 6] = [
    ("zerospan-logs", "sdk"),
    ("zerospan-otlp", "sdk"),
    ("zerospan-pool", "span_pool"),
    // All of it: the crate is the module.
    ("zerospan-sdk", ""),
    ("zerospan-trace", "sdk"),
    ("zerospan-tracing", "setup/sdk"),
];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_outside(&file.path)) {
        for (number, _) in lines_that_name_it(&file.text) {
            findings.push(format!(
                "{}:{number}: `{SDK}` is for the module that xtask/src/tidy/sdk.rs lists: import it from there",
                file.path.display()
            ));
        }
    }
    findings
}

/// Returns `true` for a file of a crate's library outside the module that may name the SDK.
fn is_outside(path: &Path) -> bool {
    let Ok(below) = path.strip_prefix("crates") else {
        return false;
    };
    let mut parts = below.iter();
    let Some(name) = parts.next() else {
        return false;
    };
    if parts.next().is_none_or(|folder| folder != "src") {
        return false;
    }
    let module = parts.as_path().with_extension("");
    // Modules of tests compare with the SDK.
    if module.components().any(|part| part.as_os_str() == "tests") {
        return false;
    }
    MODULES
        .iter()
        .find(|(listed, _)| name == *listed)
        .is_none_or(|(_, allowed)| !module.starts_with(allowed))
}

/// Returns the lines of code that name the SDK: neither comments nor the tests at the end of the file.
fn lines_that_name_it(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start()))
        .take_while(|(_, line)| *line != "mod tests {")
        .filter(|(_, line)| !line.starts_with("//") && line.contains(SDK))
}

#[cfg(test)]
mod tests {
    use super::{is_outside, lines_that_name_it};
    use std::path::Path;

    #[test]
    fn only_the_listed_module_of_a_crate_may_name_the_sdk() {
        for (path, expected) in [
            ("crates/zerospan-trace/src/sdk.rs", false),
            ("crates/zerospan-trace/src/sdk/processor.rs", false),
            ("crates/zerospan-trace/src/sampler.rs", true),
            ("crates/zerospan-tracing/src/setup/sdk.rs", false),
            ("crates/zerospan-tracing/src/setup/env.rs", true),
            ("crates/zerospan-tracing/src/tests/fields.rs", false),
            ("crates/zerospan-sdk/src/exporter.rs", false),
            ("crates/zerospan-export/src/sdk.rs", true),
            ("crates/zerospan-trace/tests/it/otel.rs", false),
            ("benches/src/main.rs", false),
        ] {
            assert_eq!(is_outside(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn comments_and_tests_may_name_the_sdk() {
        let text = "//! opentelemetry_sdk\nuse opentelemetry_sdk::Resource;\n    /// opentelemetry_sdk\n\
                    #[cfg(test)]\nmod tests {\n    use opentelemetry_sdk::trace::Sampler;\n}\n";
        let lines: Vec<usize> = lines_that_name_it(text).map(|(number, _)| number).collect();
        assert_eq!(lines, [2]);
    }
}
