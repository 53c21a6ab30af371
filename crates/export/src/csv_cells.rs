//! CSV (RFC 4180) that is safe to open in a spreadsheet.

/// Characters that make a spreadsheet take a cell for a formula, or skip to one (OWASP, CSV injection).
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '\t', '\r', '\n', '|'];

/// A cell that no spreadsheet takes for a formula: a leading quote mark keeps it text. Numbers keep their sign.
pub fn harmless(cell: &str) -> String {
    let dangerous = cell.starts_with(FORMULA_STARTS) && cell.parse::<f64>().is_err();
    if dangerous {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// A header line and one line per row.
pub fn csv_text<'a>(columns: &[&str], rows: impl Iterator<Item = Vec<String>> + 'a) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory fails only on rows of unequal length, which the callers' fixed columns exclude.
    let _header = writer.write_record(columns);
    for row in rows {
        let _row = writer.write_record(row.iter().map(|cell| harmless(cell)));
    }
    writer
        .into_inner()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_become_text() {
        for (cell, safe) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
            ("-2", "-2"),
            ("-x", "'-x"),
            ("\t=1", "'\t=1"),
            ("plain", "plain"),
        ] {
            assert_eq!(harmless(cell), safe);
        }
    }

    #[test]
    fn cells_are_quoted_where_needed() {
        let text = csv_text(
            &["a", "b"],
            vec![vec!["x,y".to_owned(), "say \"hi\"\n".to_owned()]].into_iter(),
        );
        assert_eq!(text, "a,b\r\n\"x,y\",\"say \"\"hi\"\"\n\"\r\n");
    }

    proptest! {
        #[test]
        fn every_row_reads_back(cells in prop::collection::vec("\\PC{0,12}", 3)) {
            let text = csv_text(&["a", "b", "c"], std::iter::once(cells.clone()));
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            let expected: Vec<String> = cells.iter().map(|cell| harmless(cell)).collect();
            prop_assert_eq!(row.iter().collect::<Vec<_>>(), expected);
        }
    }
}
