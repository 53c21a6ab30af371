use std::{fs, path::PathBuf};

use revtrail_model::sha256;
use rstest::rstest;

use super::*;

/// Directory of vectors made with other implementations; nothing where they are not at hand.
fn vectors() -> Option<PathBuf> {
    let found =
        std::env::var_os("REVTRAIL_TEST_DATA").map(|root| PathBuf::from(root).join("vectors/rfc3161"));
    found.filter(|dir| dir.is_dir())
}

fn read(name: &str) -> Vec<u8> {
    fs::read(vectors().unwrap().join(name)).unwrap()
}

fn authority() -> Authority {
    Authority::from_pem(&String::from_utf8(read("ca.pem")).unwrap()).unwrap()
}

fn check(token: &[u8]) -> Result<Stamp, StampError> {
    check_stamp(token, &read("../minilog/log/checkpoint"), &authority())
}

#[test]
#[expect(clippy::print_stdout, reason = "says what was not tested")]
fn agrees_with_other_implementations_about_their_tokens() {
    if vectors().is_none() {
        println!("skipped: no REVTRAIL_TEST_DATA");
        return;
    }
    let at = |name: &str| check(&read(name)).map(|stamp| stamp.at.to_string());
    assert_eq!(at("ok.tsr").unwrap(), "2026-11-21T03:32:41Z");
    assert!(at("ok-sha512.tsr").unwrap().starts_with("2026-11-21T03:"));
    assert_eq!(at("bad-other-data.tsr"), Err(StampError::OtherData));
    assert!(matches!(at("bad-other-ca.tsr"), Err(StampError::Certificate(_))));
    assert_eq!(
        at("bad-signature-bit.tsr"),
        Err(StampError::Signature("not made by its certificate"))
    );
}

/// Every byte of a token counts, but for those that say nothing about what is signed.
#[test]
#[expect(clippy::print_stdout, reason = "says what was not tested")]
fn a_changed_token_is_refused_or_says_the_same() {
    if vectors().is_none() {
        println!("skipped: no REVTRAIL_TEST_DATA");
        return;
    }
    let (right, mut same) = (read("ok.tsr"), 0);
    let stamp = check(&right).unwrap();
    for place in 0..right.len() {
        let mut changed = right.clone();
        changed[place] ^= 0x01;
        if let Ok(other) = check(&changed) {
            assert_eq!(other, stamp, "byte {place}");
            same += 1;
        }
    }
    // Status, versions, digest and signature identifiers beside what is signed, the signer's id.
    assert!(same < 100, "{same} of {} bytes do not matter", right.len());
    for length in 0..right.len() {
        assert!(check(&right[..length]).is_err(), "cut after {length}");
    }
    assert!(check(&[right.as_slice(), &[0]].concat()).is_err());
}

#[rstest]
#[case::plain("20261121033241Z", Some("2026-11-21T03:32:41Z"))]
#[case::fraction("20261121033241.5Z", Some("2026-11-21T03:32:41.5Z"))]
#[case::no_zone("20261121033241", None)]
#[case::offset("20261121033241+0100", None)]
#[case::short("2026112103Z", None)]
#[case::letters("2026112103324xZ", None)]
#[case::no_such_day("20261131033241Z", None)]
fn reads_times(#[case] text: &str, #[case] time: Option<&str>) {
    let read = general_time(text.as_bytes()).map(|at| at.to_string()).ok();
    assert_eq!(read.as_deref(), time);
}

#[test]
fn asks_as_the_specification_says() {
    let digest = sha256(b"x");
    let request = request(&digest, [0; 8]);
    let mut walk = Walk::whole(&request, 0x30).unwrap();
    assert_eq!(walk.expect(0x02).unwrap(), [1]);
    let mut imprint = walk.inside(0x30).unwrap();
    assert_eq!(imprint.inside(0x30).unwrap().expect(0x06).unwrap(), ID_SHA256);
    assert_eq!(imprint.expect(0x04).unwrap(), digest.as_bytes());
    assert_eq!(walk.expect(0x02).unwrap(), positive([0; 8]));
    assert_eq!(walk.expect(0x01).unwrap(), [0xff]);
    walk.end().unwrap();
    assert_eq!(positive([0xff; 8]), [0x7f, 255, 255, 255, 255, 255, 255, 255]);
}

#[rstest]
#[case::empty(&[], StampError::Malformed("not DER of the expected form"))]
#[case::indefinite(&[0x30, 0x80, 0, 0], StampError::Malformed("not DER of the expected form"))]
#[case::refused(&[0x30, 5, 0x30, 3, 2, 1, 2], StampError::Refused(2))]
#[case::no_token(&[0x30, 5, 0x30, 3, 2, 1, 0], StampError::Malformed("not DER of the expected form"))]
fn refuses_what_is_no_answer(#[case] bytes: &[u8], #[case] error: StampError) {
    assert_eq!(token(bytes).err(), Some(error));
}

#[test]
fn an_authority_is_a_file_of_certificates() {
    assert!(matches!(Authority::from_pem(""), Err(StampError::Authority(_))));
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        Authority::from_pem(broken),
        Err(StampError::Authority(_))
    ));
}
