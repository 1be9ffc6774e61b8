//! Finds paths of build machines, modules outside of their package, `TODO`s without a reason, trailing spaces, and examples with hidden lines on pages.

use super::file::File;
use std::path::{Component, Path};

/// Folders of build machines.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/root/", "/Users/", "/work/"];
const MARKERS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        // This file contains the patterns; lock files are generated.
        if file.path.ends_with("tidy/hygiene.rs") || file.path.ends_with("Cargo.lock") {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            if let Some(fault) = find_fault(line) {
                findings.push(format!("{}:{}: {fault}", file.path.display(), index + 1));
            }
        }
        for (index, line) in file.text.lines().enumerate() {
            if leaves_package(&file.path, line) {
                let path = file.path.display();
                findings.push(format!(
                    "{path}:{}: the archive of the package lacks this file: link it into the package",
                    index + 1
                ));
            }
        }
        if file
            .path
            .extension()
            .is_some_and(|extension| extension == "md")
        {
            for line in hidden_lines(&file.text) {
                let path = file.path.display();
                findings.push(format!(
                    "{path}:{line}: a hidden line: only rustdoc hides it, and people copy from pages"
                ));
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            findings.push(format!("{}: no newline at the end", file.path.display()));
        }
    }
    findings
}

/// Returns `true` if the line is a `#[path]` that leads out of the package, below `crates`, that `file` is in.
fn leaves_package(file: &Path, line: &str) -> bool {
    let Some((_, path)) = line.trim_start().split_once("#[path = \"") else {
        return false;
    };
    if !file.starts_with("crates") {
        return false;
    }
    // `crates` and the package.
    let folders = file.parent().map_or(0, |folder| folder.iter().count());
    let path = path.split('"').next().unwrap_or_default();
    let up = Path::new(path)
        .components()
        .take_while(|part| *part == Component::ParentDir)
        .count();
    up + 2 > folders
}

/// Returns the numbers of the lines in examples of Rust that rustdoc hides.
fn hidden_lines(text: &str) -> Vec<usize> {
    let (mut is_code, mut is_rust) = (false, false);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if let Some(language) = line.strip_prefix("```") {
            is_code = !is_code;
            is_rust = is_code && (language.is_empty() || language.starts_with("rust"));
        } else if is_rust && (line == "#" || line.starts_with("# ")) {
            found.push(index + 1);
        }
    }
    found
}

/// Returns the first fault of the line.
fn find_fault(line: &str) -> Option<String> {
    if let Some(path) = MACHINE_PATHS.iter().find(|path| contains_path(line, path)) {
        return Some(format!("contains a path of a build machine ({path})"));
    }
    for word in MARKERS {
        if let Some((before, after)) = line.split_once(word) {
            let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
                && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            let has_reason = after
                .strip_prefix('(')
                .is_some_and(|reason| reason.contains("):"));
            if is_word && !has_reason {
                return Some(format!(
                    "`{word}` without a reason: write `{word}(why): what`"
                ));
            }
        }
    }
    (line.ends_with([' ', '\t'])).then(|| "trailing space".to_owned())
}

/// Returns `true` if a path in `line` begins with `path`: not the middle of a longer path, nor a URL.
fn contains_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~}>*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::{find_fault, hidden_lines, leaves_package};
    use std::path::Path;

    #[test]
    fn hidden_lines_are_found_in_rust_alone() {
        let page = "# Title\n```rust,no_run\n# fn main() {\n#[derive(Debug)]\n  # }\n```\n```sh\n# comment\n```\n";
        assert_eq!(hidden_lines(page), [3, 5]);
    }

    #[test]
    fn a_module_outside_of_its_package_is_found() {
        let leaves =
            |line| leaves_package(Path::new("crates/zerospan-export/tests/it/main.rs"), line);
        assert!(leaves("#[path = \"../../../zerospan-core/src/error.rs\"]"));
        assert!(!leaves("#[path = \"../../src/error.rs\"]"));
        assert!(!leaves("#[path = \"scenario/own.rs\"]"));
    }

    #[test]
    fn paths_markers_and_trailing_spaces_are_found() {
        for line in [
            "let path = \"/home/someone/zerospan\";",
            "see /root/.cargo",
            "// TODO: later",
            "// FIXME",
            "let x = 1; ",
        ] {
            assert!(find_fault(line).is_some(), "{line}");
        }
    }

    #[test]
    fn urls_reasons_and_parts_of_words_are_no_faults() {
        for line in [
            "https://example.com/home/page",
            "// TODO(the API has no const constructor): make it const",
            "let TODOS = 1;",
            "target/work/file",
        ] {
            assert_eq!(find_fault(line), None, "{line}");
        }
    }
}
