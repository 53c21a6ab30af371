use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::{hash::leaf_hash, signer::FileSigner};

const README: &str = include_str!("../../README.md");

fn checkpoint() -> Checkpoint {
    let head = TreeHead {
        size: TreeSize::new(300),
        root: leaf_hash(b"x"),
    };
    Checkpoint::new("log.example/a".parse().unwrap(), head)
}

fn signer() -> FileSigner {
    FileSigner::generate([7; 32]).unwrap()
}

fn key(name: &str, algorithm: Algorithm) -> VerifierKey {
    VerifierKey::new(name.parse().unwrap(), algorithm, signer().public_key())
}

#[test]
fn opens_what_it_signed_with_extensions() {
    let mut checkpoint = checkpoint();
    checkpoint.extensions = vec!["one".to_owned(), "two words".to_owned()];
    let note = checkpoint.sign(&signer()).unwrap();
    let opened = Checkpoint::open(&note, &key("log.example/a", Algorithm::Ed25519)).unwrap();
    assert_eq!(opened, checkpoint);
    assert!(opened.to_text().starts_with("log.example/a\n300\n"));
    assert!(opened.to_text().ends_with("=\none\ntwo words\n"));
}

#[test]
fn the_readme_shows_the_note_and_key_of_its_example() {
    let leaves = [leaf_hash(b"first"), leaf_hash(b"second")];
    let frontier: crate::Frontier = leaves.into_iter().collect();
    let checkpoint = Checkpoint::new("evidence.acme.example/finance".parse().unwrap(), frontier.head());
    let note = String::from_utf8(checkpoint.sign(&signer()).unwrap()).unwrap();
    let key = key("evidence.acme.example/finance", Algorithm::Ed25519);
    assert!(README.contains(&format!("```text\n{note}```")), "{note}");
    assert!(README.contains(&format!("```text\n{key}\n```")), "{key}");
}

#[test]
fn refuses_another_log_another_key_and_a_witness_key() {
    let note = checkpoint().sign(&signer()).unwrap();
    let open = |key: &VerifierKey| Checkpoint::open(&note, key).unwrap_err();
    let other = key("log.example/b", Algorithm::Ed25519);
    assert!(matches!(open(&other), LedgerError::NoTrustedSignature(_)));
    let witness = key("log.example/a", Algorithm::Cosignature);
    assert!(matches!(open(&witness), LedgerError::VerifierKey { .. }));
    // The key of log b, used on a checkpoint of log a: only the origin line gives it away.
    let mut note = Note::new(checkpoint().to_text()).unwrap();
    note.sign(other.name(), &signer()).unwrap();
    let error = Checkpoint::open(&note.to_bytes(), &other).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"checkpoint is of "log.example/a", the key is for "log.example/b""#
    );
}

#[test]
fn signs_nothing_that_would_not_open() {
    let refuse = |change: fn(&mut Checkpoint)| {
        let mut checkpoint = checkpoint();
        change(&mut checkpoint);
        checkpoint.sign(&signer()).unwrap_err()
    };
    let error = refuse(|checkpoint| checkpoint.extensions.push(String::new()));
    assert!(matches!(error, LedgerError::Checkpoint(_)));
    let error = refuse(|checkpoint| checkpoint.extensions.push("two\nlines".to_owned()));
    assert!(matches!(
        error,
        LedgerError::Checkpoint("does not read back as written")
    ));
    let error = refuse(|checkpoint| checkpoint.size = TreeSize::ZERO);
    assert!(matches!(error, LedgerError::Checkpoint(_)));
    let error = refuse(|checkpoint| checkpoint.origin = "two words".parse().unwrap());
    assert!(matches!(error, LedgerError::KeyName(_)));
}

#[rstest]
#[case::no_newline("o\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=")]
#[case::two_lines("o\n1\n")]
#[case::empty_origin("\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::leading_zero("o\n01\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::two_zeros("o\n00\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")]
#[case::plus("o\n+1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::minus("o\n-1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::space("o\n 1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::no_size("o\n\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::too_large("o\n18446744073709551616\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
#[case::unpadded_root("o\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0\n")]
#[case::url_safe_root("o\n1\nbjQLnP-zepicpUTmu3gKLHiQHT-zNzh2hRGjBhevoB0=\n")]
#[case::short_root("o\n1\nbjQLnA==\n")]
#[case::empty_extension("o\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\n")]
#[case::wrong_empty_root("o\n0\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n")]
fn refuses_malformed_text(#[case] text: &str) {
    assert!(matches!(
        Checkpoint::parse(text),
        Err(LedgerError::Checkpoint(_) | LedgerError::Origin(_) | LedgerError::Hash(_))
    ));
}

#[test]
fn reads_the_empty_and_the_largest_tree() {
    let empty = "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let checkpoint = Checkpoint::parse(empty).unwrap();
    assert_eq!(
        checkpoint.head(),
        TreeHead {
            size: TreeSize::ZERO,
            root: EMPTY_ROOT
        }
    );
    assert_eq!(checkpoint.to_text(), empty);
    let largest = empty.replace("\n0\n", "\n18446744073709551615\n");
    assert_eq!(Checkpoint::parse(&largest).unwrap().size, TreeSize::new(u64::MAX));
}

proptest! {
    #[test]
    fn parsing_never_panics_and_loses_nothing(
        text in "[a\u{0} é]{0,3}\n[0-9+]{0,3}\n(47DEQpj8HBSa\\+/TImW\\+5JCeuQeRkm5NMpJWZG3hSu[E-G][UV]=|[A-Z=]{0,5})(\n[b\n]{0,3})?",
    ) {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_text(), text);
        }
    }

    #[test]
    fn opening_any_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Checkpoint::open(&bytes, &key("log.example/a", Algorithm::Ed25519)).is_err());
    }

    #[test]
    fn every_bit_of_a_checkpoint_counts(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut note = checkpoint().sign(&signer()).unwrap();
        let at = at.index(note.len());
        note[at] ^= 1 << bit;
        prop_assert!(Checkpoint::open(&note, &key("log.example/a", Algorithm::Ed25519)).is_err());
    }
}
