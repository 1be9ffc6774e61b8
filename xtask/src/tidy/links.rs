//! Checks that every relative link of a Markdown file leads to a file.

use super::file::File;
use crate::cargo::root;
use std::path::Path;

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| is_markdown(&file.path)) {
        for (number, target) in targets(&file.text) {
            let folder = file.path.parent().unwrap_or(Path::new(""));
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !root().join(folder).join(path).exists() {
                findings.push(format!(
                    "{}:{number}: `{target}` does not exist",
                    file.path.display()
                ));
            }
        }
    }
    findings
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// Returns the relative targets of the inline links outside code blocks, each with its line.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            // `[text](Self::item)` is rustdoc's to resolve.
            if !target.contains("://") && !target.contains("::") {
                targets.push((index + 1, target));
            }
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn relative_links_outside_code_are_followed() {
        let text = "[a](docs/a.md#part) and [b](https://b.example)\n```text\n[c](c.md)\n```\n[d](d.md \"title\")";
        assert_eq!(targets(text), [(1, "docs/a.md#part"), (5, "d.md")]);
    }
}
