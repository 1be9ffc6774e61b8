//! What no file should hold: a path of the machine it was written on, a loose end without a reason, trailing space.

use super::file::File;

/// Where build machines keep their files.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/root/", "/Users/", "/work/"];
const LOOSE_ENDS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        // This file names what it looks for.
        if file.path.ends_with("tidy/hygiene.rs") || file.path.ends_with("Cargo.lock") {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            if let Some(what) = judge(line) {
                findings.push(format!("{}:{}: {what}", file.path.display(), index + 1));
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            findings.push(format!("{}: no newline at the end", file.path.display()));
        }
    }
    findings
}

/// What is wrong with the line, if anything.
fn judge(line: &str) -> Option<String> {
    if let Some(path) = MACHINE_PATHS.iter().find(|path| stands_alone(line, path)) {
        return Some(format!("names a path of a build machine ({path})"));
    }
    for word in LOOSE_ENDS {
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

/// Whether `path` begins a path in `line`, and is not the middle of a longer one or of an address.
fn stands_alone(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-~}>*".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn what_no_file_should_hold_is_found() {
        for line in [
            "let path = \"/home/someone/zerospan\";",
            "see /root/.cargo",
            "// TODO: later",
            "// FIXME",
            "let x = 1; ",
        ] {
            assert!(judge(line).is_some(), "{line}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_not() {
        for line in [
            "https://example.com/home/page",
            "// TODO(the API has no const constructor): make it const",
            "let TODOS = 1;",
            "target/work/file",
        ] {
            assert_eq!(judge(line), None, "{line}");
        }
    }
}
