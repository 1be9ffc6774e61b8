use crate::numbers;
use crate::program::demo;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

#[test]
fn a_browser_renders_the_page_without_errors_and_shows_the_json() -> Result<(), Box<dyn Error>> {
    let Some(browser) = BROWSERS.into_iter().find(|name| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    }) else {
        eprintln!("skipped: none of {BROWSERS:?} is installed");
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let output = demo(folder.path(), &["--requests", "32"])?;
    assert!(output.status.success(), "{output:?}");
    let json = serde_json::from_slice(&fs::read(folder.path().join("report.json"))?)?;

    // A wide window in light mode, then a phone in dark mode.
    for (number, more) in [
        &["--window-size=1200,1600"][..],
        &[
            "--window-size=390,1600",
            "--blink-settings=preferredColorScheme=0",
        ],
    ]
    .into_iter()
    .enumerate()
    {
        let profile = folder.path().join(format!("profile-{number}"));
        let (dom, errors) = dump(browser, &folder.path().join("report.html"), &profile, more)?;
        assert!(dom.contains("<h1>What tracing costs</h1>"), "{dom}");
        numbers::assert_equal(&dom, &json);
        assert_eq!(errors, Vec::<String>::new());
    }
    Ok(())
}

/// Returns the rendered document and the messages on the console.
fn dump(
    browser: &str,
    page: &Path,
    profile: &Path,
    more: &[&str],
) -> Result<(String, Vec<String>), Box<dyn Error>> {
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-background-networking", "--no-first-run"])
        .args(["--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more)
        .arg(format!("file://{}", page.display()))
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect();
    Ok((String::from_utf8(output.stdout)?, errors))
}
