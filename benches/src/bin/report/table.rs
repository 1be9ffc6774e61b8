use std::fmt;

/// A table in Markdown.
pub(crate) struct Table {
    /// Each heading, and whether its column holds figures.
    columns: Vec<(String, bool)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Headings that begin with `#` are of figures, which stand at the right.
    pub(crate) fn of<S: AsRef<str>>(headings: impl IntoIterator<Item = S>) -> Self {
        let column = |heading: S| match heading.as_ref().strip_prefix('#') {
            Some(heading) => (heading.to_owned(), true),
            None => (heading.as_ref().to_owned(), false),
        };
        Self {
            columns: headings.into_iter().map(column).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (heading, _) in &self.columns {
            write!(f, "| {heading} ")?;
        }
        f.write_str("|\n")?;
        for (_, is_figure) in &self.columns {
            f.write_str(if *is_figure { "|--:" } else { "|---" })?;
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

/// A figure with about three digits, and its thousands apart.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => grouped(value.round() as u64),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// How often the heap is asked: 0 where it never is.
pub(crate) fn count(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, figure, grouped};

    #[test]
    fn figures_have_about_three_digits() {
        assert_eq!(
            [0.5, 12.34, 123.4, 12_345.6].map(figure),
            ["0.50", "12.3", "123", "12,346"]
        );
        assert_eq!(
            [7, 1_000, 1_234_567].map(grouped),
            ["7", "1,000", "1,234,567"]
        );
    }

    #[test]
    fn columns_of_figures_stand_at_the_right() {
        let mut table = Table::of(["row", "#ns"]);
        table.row(["a|b", "1.0"]);
        assert_eq!(
            table.to_string(),
            "| row | ns |\n|---|--:|\n| a\\|b | 1.0 |\n"
        );
    }
}
