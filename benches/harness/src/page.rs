//! Where figures are shown: on the terminal, and in the blocks of a Markdown page that are marked for them.
//!
//! A block is written anew as a whole, and only if this run has measured what stands in it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// A table, with what is to be said before it and what follows from it.
pub struct Block {
    /// The name in its marks, `<!-- measured -->` or `<!-- measured: name -->`.
    pub name: &'static str,
    pub conditions: String,
    /// How many columns are words; the others are figures.
    pub words: usize,
    /// The first one is the heads.
    pub rows: Vec<Vec<String>>,
    pub verdicts: Vec<String>,
}

impl Block {
    /// Renders the block for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("\n{}\n\n", self.conditions);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                let _ = if column < self.words {
                    write!(text, "{cell:<width$}  ")
                } else {
                    write!(text, "{cell:>width$}  ")
                };
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        text.push('\n');
        for verdict in &self.verdicts {
            let _ = writeln!(text, "{verdict}");
        }
        text
    }

    fn markdown(&self) -> String {
        let mut page = format!("{}\n\n", self.conditions);
        for (line, row) in self.rows.iter().enumerate() {
            let _ = writeln!(page, "| {} |", row.join(" | "));
            if line == 0 {
                let columns = (0..row.len()).map(|column| if column < self.words { "---|" } else { "--:|" });
                let _ = writeln!(page, "|{}", columns.collect::<String>());
            }
        }
        if !self.verdicts.is_empty() {
            page.push('\n');
        }
        for verdict in &self.verdicts {
            let _ = writeln!(page, "- {verdict}");
        }
        page
    }

    /// Puts the block between its marks in a Markdown file.
    pub fn write_into(&self, file: &Path) -> Result<()> {
        let (before, after) = check_marks(file, self.name)?;
        let (open, close) = marks(self.name);
        let page = format!("{before}{open}\n{}{close}{after}", self.markdown());
        Ok(fs::write(file, page)?)
    }
}

/// Splits a Markdown file at a block's marks, or says that it has none.
pub fn check_marks(file: &Path, name: &str) -> Result<(String, String)> {
    let page = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (open, close) = marks(name);
    let split = page
        .split_once(&open)
        .and_then(|(before, rest)| Some((before, rest.split_once(&close)?.1)));
    let (before, after) = split.with_context(|| format!("{} has no {open} … {close}", file.display()))?;
    Ok((before.to_owned(), after.to_owned()))
}

fn marks(name: &str) -> (String, String) {
    (format!("<!-- {name} -->"), format!("<!-- /{name} -->"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_block_of_that_name_is_written_anew() {
        let file = std::env::temp_dir().join(format!("page-{}.md", std::process::id()));
        let page = "<!-- a -->\nold\n<!-- /a -->\n<!-- a: b -->\nold\n<!-- /a: b -->\nend";
        fs::write(&file, page).unwrap();
        let block = Block {
            name: "a: b",
            conditions: "quiet".to_owned(),
            words: 1,
            rows: vec![
                vec!["what".to_owned(), "µs".to_owned()],
                vec!["x".to_owned(), "1".to_owned()],
            ],
            verdicts: vec!["kept".to_owned()],
        };
        block.write_into(&file).unwrap();
        let written = fs::read_to_string(&file).unwrap();
        assert!(check_marks(&file, "a: c").is_err());
        fs::remove_file(file).unwrap();
        let table = "| what | µs |\n|---|--:|\n| x | 1 |\n";
        assert_eq!(
            written,
            format!(
                "<!-- a -->\nold\n<!-- /a -->\n<!-- a: b -->\nquiet\n\n{table}\n- kept\n<!-- /a: b -->\nend"
            )
        );
    }
}
