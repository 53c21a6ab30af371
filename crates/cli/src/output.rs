//! Data to standard output, everything else to standard error.

use std::{io::Write as _, process::ExitCode};

use comfy_table::{ContentArrangement, Table, presets};
use revtrail_evidence::visible;
use serde_json::{Map, Value};

use crate::{args::Output, exit::Failure};

/// Prints a failure and gives its exit code.
pub(crate) fn fail(failure: &Failure) -> ExitCode {
    say(&failure.render());
    failure.exit.into()
}

/// A line for the person at the terminal, on standard error. Control characters in it are made visible.
pub(crate) fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _unwritable = writeln!(stderr, "{}", visible_lines(text));
}

/// Raw text to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    quiet_on_closed_pipe(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// A reader that went away (`| head`) is no failure.
fn quiet_on_closed_pipe(outcome: std::io::Result<()>) -> Result<(), Failure> {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Rows of named columns, with facts about the whole beside them.
pub(crate) struct Sheet {
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Value>>,
    /// Shown on standard error for people, part of the JSON document.
    pub(crate) about: Map<String, Value>,
    /// Name of the list in the JSON document.
    pub(crate) name: &'static str,
}

/// Version of the JSON documents.
const JSON_VERSION: u32 = 1;

impl Sheet {
    /// Writes the sheet in the form asked for.
    pub(crate) fn print(&self, output: Output) -> Result<(), Failure> {
        match output {
            Output::Table => self.table(),
            Output::Json => {
                let mut document = self.about.clone();
                document.insert("version".into(), JSON_VERSION.into());
                document.insert(self.name.into(), self.objects().collect());
                print(&format!("{}\n", pretty(&Value::Object(document))))
            }
            Output::Jsonl => {
                self.objects()
                    .try_for_each(|object| print(&format!("{object}\n")))?;
                self.remarks();
                Ok(())
            }
            Output::Csv => {
                let rows = self.rows.iter().map(|row| row.iter().map(cell).collect());
                print(&revtrail_export::csv_text(&self.columns, rows))?;
                self.remarks();
                Ok(())
            }
        }
    }

    fn objects(&self) -> impl Iterator<Item = Value> + '_ {
        self.rows.iter().map(|row| {
            let members = self.columns.iter().zip(row).filter(|(_, value)| !value.is_null());
            Value::Object(
                members
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect(),
            )
        })
    }

    fn table(&self) -> Result<(), Failure> {
        if self.rows.is_empty() {
            self.remarks();
            say("nothing found");
            return Ok(());
        }
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.columns.iter().map(|column| column.to_uppercase()));
        for row in &self.rows {
            table.add_row(row.iter().map(|value| visible(&cell(value))));
        }
        print(&format!("{}\n", table.trim_fmt()))?;
        self.remarks();
        Ok(())
    }

    pub(crate) fn remarks(&self) {
        for (name, value) in &self.about {
            match value {
                Value::Array(lines) if !lines.is_empty() => {
                    say(&format!("{name}:"));
                    for line in lines {
                        say(&format!("  {}", visible(&cell(line))));
                    }
                }
                Value::Array(_) => {}
                other => say(&format!("{name}: {}", visible(&cell(other)))),
            }
        }
    }
}

/// A value as one cell of text.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
