use std::fmt;

/// A table in Markdown.
#[derive(Clone, Debug)]
pub struct Table {
    /// Each heading, and `true` if the column is aligned right.
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Creates an empty table. A heading that starts with `#` aligns its column right.
    pub fn new<S: AsRef<str>>(headings: impl IntoIterator<Item = S>) -> Self {
        let column = |heading: S| match heading.as_ref().strip_prefix('#') {
            Some(heading) => (heading.to_owned(), true),
            None => (heading.as_ref().to_owned(), false),
        };
        Self {
            columns: headings.into_iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (heading, _) in &self.columns {
            write!(f, "| {heading} ")?;
        }
        f.write_str("|\n")?;
        for (_, is_right) in &self.columns {
            f.write_str(if *is_right { "|--:" } else { "|---" })?;
        }
        f.write_str("|\n")?;
        for row in &self.rows {
            for cell in row {
                write!(f, "| {} ", cell.replace('|', "\\|"))?;
            }
            f.write_str("|\n")?;
        }
        Ok(())
    }
}

/// Formats a figure with about three digits and separated thousands.
pub fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => separated(value.round() as u64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn separated(value: u64) -> String {
    let digits = value.to_string();
    let mut separated = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            separated.push(',');
        }
        separated.push(digit);
    }
    separated
}

/// Formats a count: `0` only if it is exactly 0.
pub fn count(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        _ => format!("{value:.2}"),
    }
}

/// Formats a part of a whole, rounded up, so that it is `0` only if it is exactly 0.
pub fn percent(part: u64, whole: u64) -> String {
    let per_mille = (part * 1_000).div_ceil(whole.max(1));
    match part {
        0 => "0".to_owned(),
        _ => format!("{}.{} %", per_mille / 10, per_mille % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, figure, percent};

    #[test]
    fn figures_have_about_three_digits() {
        let formatted = [0.5, 12.34, 123.4, 1_234_567.0].map(figure);
        assert_eq!(formatted, ["0.50", "12.3", "123", "1,234,567"]);
    }

    #[test]
    fn a_single_lost_span_is_visible() {
        let formatted = [0, 1, 41_000].map(|lost| percent(lost, 82_000));
        assert_eq!(formatted, ["0", "0.1 %", "50.0 %"]);
    }

    #[test]
    fn columns_of_figures_are_aligned_right() {
        let mut table = Table::new(["row", "#ns"]);
        table.row(["a|b", "1.0"]);
        let expected = "| row | ns |\n|---|--:|\n| a\\|b | 1.0 |\n";
        assert_eq!(table.to_string(), expected);
    }
}
