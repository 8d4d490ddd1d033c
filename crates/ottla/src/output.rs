//! What commands print: a table for people, one JSON document for programs.

use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns with a heading.
    Table,
    /// One JSON document.
    Json,
}

/// A row of a table.
pub trait Row: Serialize {
    /// The headings, one a column.
    const HEADINGS: &'static [&'static str];
    /// The cells, one a heading.
    fn cells(&self) -> Vec<String>;
}

/// Prints `rows` on standard output.
pub fn print_rows<R: Row>(format: Format, rows: &[R]) {
    match format {
        Format::Json => print_json(&rows),
        Format::Table => print!(
            "{}",
            table(
                R::HEADINGS,
                &rows.iter().map(Row::cells).collect::<Vec<_>>()
            )
        ),
    }
}

/// Prints `value` as one JSON document on standard output.
pub fn print_json<T: Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => println!("{text}"),
        Err(error) => unreachable!("plain data always has a JSON form: {error}"),
    }
}

fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| heading.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&mut headings.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_align_and_lines_have_no_trailing_blanks() {
        let rows = [
            vec!["a".to_owned(), "10".to_owned()],
            vec!["topic".to_owned(), String::new()],
        ];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME   N\na      10\ntopic\n");
    }
}
