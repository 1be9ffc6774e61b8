//! The page in Markdown, whose measured part is written anew, and the same as HTML.

use anyhow::{Context, ensure};
use pulldown_cmark::{Options, Parser};

const BEGIN: &str = "<!-- `cargo xtask bench --report` writes from here -->";
const END: &str = "<!-- to here -->";

/// The page with `measured` between its two marks.
pub(crate) fn renew(page: &str, measured: &str) -> anyhow::Result<String> {
    let (before, rest) = page.split_once(BEGIN).with_context(|| {
        format!("it lacks the line `{BEGIN}`: put it where the measured part begins")
    })?;
    let (_, after) = rest.split_once(END).with_context(|| {
        format!("it lacks the line `{END}`: put it where the measured part ends")
    })?;
    ensure!(
        !after.contains(BEGIN),
        "it has the line `{BEGIN}` twice: leave one of them"
    );
    Ok(format!(
        "{before}{BEGIN}\n\n{}\n\n{END}{after}",
        measured.trim()
    ))
}

/// The page as one file of HTML that asks for no other.
pub(crate) fn html(markdown: &str) -> String {
    let mut body = String::new();
    pulldown_cmark::html::push_html(&mut body, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    // A table that is too wide scrolls on its own.
    let body = body
        .replace("<table>", "<div class=\"wide\"><table>")
        .replace("</table>", "</table></div>");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>zerospan: benchmarks</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, html, renew};

    #[test]
    fn what_is_written_by_hand_stays() {
        let page = format!("# Title\n\n{BEGIN}\nold\n{END}\n\n## By hand\n");
        let renewed = renew(&page, "new\n").expect("the marks are there");
        assert_eq!(
            renewed,
            format!("# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\n## By hand\n")
        );
        assert_eq!(renew(&renewed, "new\n").expect("still there"), renewed);
    }

    #[test]
    fn a_page_without_marks_is_refused_with_the_remedy() {
        let error = renew("# Title\n", "new").expect_err("there are no marks");
        assert!(error.to_string().contains("put it where"), "{error}");
    }

    #[test]
    fn the_report_asks_for_no_other_file() {
        let html = html("| a |\n|--:|\n| 1 |\n");
        assert!(html.contains("<table>") && html.contains("text-align: right"));
        assert!(!html.contains("href=") && !html.contains("src="));
    }
}
