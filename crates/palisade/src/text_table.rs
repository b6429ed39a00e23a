//! A table as people read it: each column as wide as its widest cell.

use std::fmt::{self, Write as _};

/// Writes the headings and the rows below them.
pub(crate) fn write<const COLUMNS: usize>(
    f: &mut fmt::Formatter<'_>,
    headings: [&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> fmt::Result {
    let mut lines = vec![headings.map(str::to_owned)];
    lines.extend(rows);
    let mut widths = [0; COLUMNS];
    for cells in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for cells in lines {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            // The blanks after the last cell are taken off again.
            write!(line, "{cell:width$}  ")?;
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
