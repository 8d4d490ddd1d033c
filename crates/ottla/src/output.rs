//! What commands print: a table for people, one JSON document for programs.

use std::io::{self, Write};

use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns with a heading.
    Table,
    /// One JSON document.
    Json,
}

impl Format {
    /// What the flag `--json` asks for.
    pub fn of_flag(json: bool) -> Self {
        if json { Self::Json } else { Self::Table }
    }
}

/// A row of a table.
pub trait Row: Serialize {
    /// The headings, one a column.
    const HEADINGS: &'static [&'static str];
    /// The cells, one a heading.
    fn cells(&self) -> Vec<String>;
}

/// Prints `rows` on standard output.
pub fn print_rows<R: Row>(format: Format, rows: &[R]) -> io::Result<()> {
    match format {
        Format::Json => print_json(&rows),
        Format::Table => {
            let cells: Vec<_> = rows.iter().map(Row::cells).collect();
            print_text(&table(R::HEADINGS, &cells))
        }
    }
}

/// Prints `value` as one JSON document on standard output.
pub fn print_json<T: Serialize>(value: &T) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    out.flush()
}

/// Prints `text` on standard output, as it is.
pub fn print_text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Bytes as people read them: `512 B`, `1.5 MiB`.
pub fn size_text(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    match unit {
        "B" => format!("{bytes} B"),
        _ => format!("{size:.1} {unit}"),
    }
}

/// Rows under headings, columns aligned: numbers and sizes to the right, all else to the left.
pub fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let column = |index: usize| rows.iter().filter_map(move |row| row.get(index));
    let widths: Vec<(usize, bool)> = headings
        .iter()
        .enumerate()
        .map(|(index, heading)| {
            let widest = column(index).map(|cell| cell.chars().count()).max();
            let numeric = column(index).any(|cell| is_number(cell))
                && column(index).all(|cell| cell.is_empty() || cell == "-" || is_number(cell));
            (widest.unwrap_or(0).max(heading.len()), numeric)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, &(width, numeric)) in cells.zip(&widths) {
            match numeric {
                true => text.push_str(&format!("{cell:>width$}  ")),
                false => text.push_str(&format!("{cell:<width$}  ")),
            }
        }
        format!("{}\n", text.trim_end())
    };
    let mut text = line(&mut headings.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// A number, or a size with its unit.
fn is_number(cell: &str) -> bool {
    let number = cell.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = match number.len() == cell.len() {
        true => Some(number),
        false => number.strip_suffix(' '),
    };
    number.is_some_and(|number| number.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{size_text, table};

    #[test]
    fn columns_align_and_lines_have_no_trailing_blanks() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "10", "5 B"]), row(["topic", "7", ""])];
        assert_eq!(
            table(&["NAME", "N", "SIZE"], &rows),
            "NAME    N  SIZE\na      10   5 B\ntopic   7\n"
        );
    }

    #[test]
    fn sizes() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(size_text(bytes), expected);
        }
    }
}
