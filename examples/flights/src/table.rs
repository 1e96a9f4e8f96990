//! [`Table`]: a file of comma-separated values, and errors that name its lines.

use std::{
    collections::HashMap,
    fmt::Display,
    fs,
    io::{Cursor, Read as _},
    path::Path,
    str::FromStr,
};

/// What stands for a missing value.
const MISSING: &str = "NA";

/// A table of comma-separated values, read into memory.
pub struct Table {
    name: String,
    text: Vec<u8>,
    len: u64,
}

/// Why a table, or a row of it, cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("{file} cannot be read: {source}")]
    File {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The archive is none.
    #[error("{file} is no zip archive with a .csv file in it: {source}")]
    Archive {
        /// The file.
        file: String,
        /// Why.
        source: zip::result::ZipError,
    },
    /// The table has no rows.
    #[error("{file} has no rows: its first line names the columns, and each line below is a row")]
    Empty {
        /// The file.
        file: String,
    },
    /// The table lacks a column.
    #[error("{file} has no column `{column}` in its first line")]
    Column {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// A line is no row of the table.
    #[error("{file}, line {line}: {message}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
}

impl Table {
    /// A table that is part of this program; zipped, if its name says so.
    pub fn embedded(name: &str, bytes: &[u8]) -> Result<Table, TableError> {
        Table::from_bytes(name.to_owned(), bytes.to_vec())
    }

    /// Reads a file, `.csv` or `.zip` with a `.csv` in it.
    pub fn open(path: &Path) -> Result<Table, TableError> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|source| TableError::File { file: file.clone(), source })?;
        Table::from_bytes(file, bytes)
    }

    fn from_bytes(name: String, bytes: Vec<u8>) -> Result<Table, TableError> {
        if !name.ends_with(".zip") {
            return Ok(Table::new(name, bytes));
        }
        let archive = |source| TableError::Archive { file: name.clone(), source };
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).map_err(archive)?;
        let entry = zip.file_names_raw().position(|entry| entry.ends_with(b".csv"));
        let entry = entry.ok_or_else(|| archive(zip::result::ZipError::FileNotFound))?;
        let mut text = Vec::new();
        let read = zip.by_index(entry).map_err(archive)?.read_to_end(&mut text);
        read.map_err(|source| TableError::File { file: name.clone(), source })?;
        Ok(Table::new(name, text))
    }

    fn new(name: String, text: Vec<u8>) -> Table {
        let ends = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let unfinished = u64::from(text.last().is_some_and(|&byte| byte != b'\n'));
        Table { name, text, len: (ends + unfinished).saturating_sub(1) }
    }

    /// Its file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// About how many rows it has: as many as it has lines below the first.
    pub fn row_count(&self) -> u64 {
        self.len
    }

    /// Its rows, in order.
    pub fn rows(&self) -> Rows<'_> {
        Rows { name: &self.name, reader: csv::Reader::from_reader(&self.text), columns: None }
    }
}

/// The rows of a [`Table`].
pub struct Rows<'t> {
    name: &'t str,
    reader: csv::Reader<&'t [u8]>,
    columns: Option<HashMap<String, usize>>,
}

impl<'t> Rows<'t> {
    /// The next row, or `None` after the last.
    pub fn next_row(&mut self) -> Result<Option<Row<'_>>, TableError> {
        let name = self.name;
        let mut record = csv::StringRecord::new();
        let line_error = |error: csv::Error, at: u64| TableError::Line {
            file: name.to_owned(),
            line: error.position().map_or(at, csv::Position::line),
            message: match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                    format!("has {len} values, but the first line names {expected_len} columns")
                }
                csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
                _ => error.to_string(),
            },
        };
        if self.columns.is_none() {
            let headers = self.reader.headers().map_err(|error| line_error(error, 1))?;
            self.columns = Some(headers.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect());
        }
        let line = self.reader.position().line();
        let more = self.reader.read_record(&mut record).map_err(|error| line_error(error, line))?;
        let columns = self.columns.as_ref().filter(|_| more);
        Ok(columns.map(|columns| Row { file: name, line, columns, record }))
    }
}

/// One row of a [`Table`].
pub struct Row<'t> {
    file: &'t str,
    line: u64,
    columns: &'t HashMap<String, usize>,
    record: csv::StringRecord,
}

impl Row<'_> {
    /// Its line in the file, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The value in a column.
    pub fn get<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<T, TableError> {
        let text = self.text(column)?;
        text.parse().map_err(|error| self.error(format!("`{column}` is `{text}`: {error}")))
    }

    /// The value in a column where values may be missing.
    pub fn optional<T: FromStr<Err: Display>>(&self, column: &'static str) -> Result<Option<T>, TableError> {
        if self.text(column)? == MISSING { Ok(None) } else { self.get(column).map(Some) }
    }

    /// The text in a column.
    pub fn text(&self, column: &'static str) -> Result<&str, TableError> {
        let at = self.columns.get(column);
        at.and_then(|&at| self.record.get(at)).ok_or_else(|| TableError::Column { file: self.file.to_owned(), column })
    }

    fn error(&self, message: String) -> TableError {
        TableError::Line { file: self.file.to_owned(), line: self.line, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::embedded("some.csv", text.as_bytes()).expect("it is in memory")
    }

    #[test]
    fn values_are_read_or_missing() {
        let table = table("carrier,delay\nUA,NA\nB6,-3");
        assert_eq!(table.row_count(), 2);
        let mut rows = table.rows();
        let row = rows.next_row().expect("a row").expect("a row");
        assert_eq!(row.get::<String>("carrier").expect("a text"), "UA");
        assert_eq!(row.optional::<i64>("delay").expect("missing"), None);
        let row = rows.next_row().expect("a row").expect("a row");
        assert_eq!(row.optional::<i64>("delay").expect("a number"), Some(-3));
        assert!(rows.next_row().expect("the end").is_none());
    }

    #[test]
    fn errors_name_file_and_line() {
        let table = table("carrier,delay\nUA,2\nB6,soon\nAA\n");
        let mut rows = table.rows();
        let row = rows.next_row().expect("a row").expect("a row");
        let error = row.get::<i64>("dep_delay").expect_err("no such column");
        assert_eq!(error.to_string(), "some.csv has no column `dep_delay` in its first line");
        let row = rows.next_row().expect("a row").expect("a row");
        let error = row.optional::<i64>("delay").expect_err("no number");
        assert_eq!(error.to_string(), "some.csv, line 3: `delay` is `soon`: invalid digit found in string");
        let error = rows.next_row().err().expect("too short");
        assert_eq!(error.to_string(), "some.csv, line 4: has 1 values, but the first line names 2 columns");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let error = Table::embedded("some.csv.zip", b"carrier\nUA\n").err().expect("no archive");
        assert!(error.to_string().starts_with("some.csv.zip is no zip archive"), "{error}");
    }
}
