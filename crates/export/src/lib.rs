#![doc = include_str!("../README.md")]

mod annotation;
mod csv_cells;
mod flat;

pub use annotation::annotation;
pub use csv_cells::{csv_text, harmless};
pub use flat::{COLUMNS, flat, row};
